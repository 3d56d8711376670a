"""One OpenAPI document for all services, as their callers see them from outside."""

import asyncio
import re
import time
from collections.abc import Mapping
from typing import Any

import aiohttp
import orjson
from common import telemetry

FRESH_FOR = 60.0
RETRY_AFTER = 5.0
_TIMEOUT = aiohttp.ClientTimeout(total=3)
_REFERENCE = re.compile(r"#/components/([^/]+)/")
_VERBS = {"get", "put", "post", "delete", "patch", "head"}

type Document = dict[str, Any]


class Documents:
    """Fetches the services' documents, merges them, and keeps the last good one of each."""

    def __init__(self, http: aiohttp.ClientSession, services: Mapping[str, str], *, public_url: str) -> None:
        self._http = http
        self._services = services
        self._public_url = public_url
        self._known: dict[str, Document] = {}
        self._merged = b""
        self._again_at = 0.0
        self._lock = asyncio.Lock()

    async def merged(self) -> bytes:
        async with self._lock:
            if time.monotonic() >= self._again_at:
                found = await asyncio.gather(*(self._fetch(name, url) for name, url in self._services.items()))
                self._again_at = time.monotonic() + (FRESH_FOR if all(found) else RETRY_AFTER)
                self._merged = orjson.dumps(merge(self._known, self._public_url))
        return self._merged

    async def _fetch(self, name: str, url: str) -> bool:
        try:
            async with self._http.get(f"{url.rstrip('/')}/openapi.json", timeout=_TIMEOUT) as answer:
                answer.raise_for_status()
                self._known[name] = orjson.loads(await answer.read())
        except (aiohttp.ClientError, TimeoutError, orjson.JSONDecodeError) as error:
            telemetry.log.warning("gateway.document_missing", peer=name, exc_info=error)
            return False
        return True


def merge(documents: Mapping[str, Document], public_url: str) -> Document:
    """Put every service under its address at the gateway; components get their service's name in front."""
    paths: Document = dict(_OWN_PATHS)
    components: dict[str, Document] = {}
    for service, document in sorted(documents.items()):
        for path, item in document.get("paths", {}).items():
            if path.startswith("/v1/"):
                paths[f"/api/{service}{path}"] = _operations(_renamed(item, service), service)
        for kind, parts in document.get("components", {}).items():
            if kind != "securitySchemes":
                named = {f"{service}.{name}": _renamed(part, service) for name, part in parts.items()}
                components.setdefault(kind, {}).update(named)
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "citizen": {"type": "apiKey", "in": "cookie", "name": "__Host-citizen"},
        "workbench": {"type": "apiKey", "in": "cookie", "name": "__Host-workbench"},
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tongban",
            "version": "1",
            "description": "With a bearer token at /api; with a face's session at /citizen/api or /workbench/api, "
            "where a call that changes something also sends X-Tongban-CSRF: 1.",
        },
        "servers": [
            {"url": public_url},
            {"url": f"{public_url}/citizen", "description": "with a citizen's session"},
            {"url": f"{public_url}/workbench", "description": "with an officer's session"},
        ],
        "tags": [{"name": name} for name in ("gateway", *sorted(documents))],
        "paths": paths,
        "components": components,
    }


def _operations(item: Document, service: str) -> Document:
    for verb, operation in item.items():
        if verb in _VERBS:
            operation["tags"] = [service]
            operation["security"] = [{"bearer": []}, {"citizen": []}, {"workbench": []}]
            if "operationId" in operation:
                operation["operationId"] = f"{service}.{operation['operationId']}"
    return item


def _renamed(part: Any, service: str) -> Any:
    """Point every reference at the component's new name."""
    if isinstance(part, dict):
        return {key: _renamed_value(key, value, service) for key, value in part.items()}
    if isinstance(part, list):
        return [_renamed(each, service) for each in part]
    return part


def _renamed_value(key: str, value: Any, service: str) -> Any:
    if key == "$ref" and isinstance(value, str):
        return _REFERENCE.sub(rf"#/components/\1/{service}.", value)
    if key == "mapping" and isinstance(value, dict):
        return {name: _REFERENCE.sub(rf"#/components/\1/{service}.", to) for name, to in value.items()}
    return _renamed(value, service)


def _own(verb: str, summary: str, answer: str, *, session: bool = False) -> Document:
    operation: Document = {"tags": ["gateway"], "summary": summary, "responses": {answer: {"description": summary}}}
    operation["parameters"] = [
        {"name": "face", "in": "path", "required": True, "schema": {"enum": ["citizen", "workbench"]}}
    ]
    operation["security"] = [{"citizen": []}, {"workbench": []}] if session else []
    return {verb: operation}


_OWN_PATHS: Document = {
    "/{face}/auth/login": _own("get", "Begin a log-in; return_to names a page of the face", "303"),
    "/{face}/auth/callback": _own("get", "Finish a log-in; Keycloak sends the browser here", "303"),
    "/{face}/auth/session": _own("get", "Who is logged in", "200", session=True),
    "/{face}/auth/logout": _own("post", "Log out; the answer names the page to go to", "200", session=True),
    "/{face}/auth/step-up": _own(
        "get", "Prove it again: acr or max_age say how; return_to names the act's page", "302"
    ),
    "/{face}/auth/sessions": _own("get", "Where the person is logged in", "200", session=True),
    "/{face}/auth/sessions/{handle}:end": _own("post", "Log out there", "204", session=True),
    "/{face}/auth/sessions:end-others": _own("post", "Log out everywhere else", "200", session=True),
    "/{face}/auth/backchannel-logout": _own("post", "Keycloak tells of a log-out elsewhere", "200"),
}
