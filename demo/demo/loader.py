"""Loads the demo city through the public routes, with a service token of its own. Loading again changes nothing."""

import hashlib
import json
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import httpx

from demo import city, department
from demo.browser import CallRefused
from demo.settings import Settings

JSON = dict[str, Any]
Told = Callable[[str, int], None]


class CityChanged(Exception):
    """What is loaded differs from an older city that is there."""


class Door:
    """The bearer door of the gateway, as a department's program uses it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._http = httpx.AsyncClient(base_url=settings.public_url, timeout=30, trust_env=False)

    async def __aenter__(self) -> Self:
        answer = await self._http.post(
            f"{self._settings.keycloak_url}/realms/gov/protocol/openid-connect/token",
            data={"grant_type": "client_credentials"},
            auth=("demo-loader", self._settings.client_secret),
        )
        answer.raise_for_status()
        self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def post(self, path: str, body: JSON) -> JSON:
        """Post once: the key is made from what is posted, so that loading again asks the same question."""
        digest = hashlib.sha256(f"{path} {json.dumps(body, sort_keys=True)}".encode()).hexdigest()
        answer = await self._http.post(f"/api/{path}", json=body, headers={"Idempotency-Key": f"demo-{digest[:32]}"})
        if answer.is_error:
            raise CallRefused(answer)
        content: JSON = answer.json()
        return content


async def load(settings: Settings, *, told: Told) -> None:
    """Organisations, people, posts, licence types, licences and matters, in the order in which they need each other."""
    async with Door(settings) as door:
        for title, path, bodies in _everything():
            for body in bodies:
                await _post_once(door, path, body)
            told(title, len(bodies))


async def _post_once(door: Door, path: str, body: JSON) -> None:
    try:
        await door.post(path, body)
    except CallRefused as refused:
        if refused.status != 409:
            raise
        raise CityChanged(f"{path}: {refused.reason}; `make clean` forgets the older city") from refused


def _everything() -> list[tuple[str, str, list[JSON]]]:
    apps = [_app(app) for app in department.APPS]
    approvals: list[tuple[str, str, list[JSON]]] = [
        ("部门系统批准", f"workbench/v1/apps/{app['code']}:approve", [{}]) for app in apps
    ]
    return [
        ("机构", "accounts/v1/organisations", [_organisation(org) for org in city.organisations()]),
        ("自然人", "accounts/v1/persons", [_person(person) for person in (*city.citizens(), *city.children())]),
        ("监护关系", "accounts/v1/guardianships", [_guardianship(each) for each in city.guardianships()]),
        ("工作人员", "accounts/v1/employees", [_employee(person) for person in city.employees()]),
        ("任职", "accounts/v1/posts", [_post(person) for person in city.employees()]),
        ("证照类型", "verification/v1/licence-types", [_licence_type(kind) for kind in city.licence_types()]),
        ("电子证照", "verification/v1/licences", [_licence(licence) for licence in city.licences()]),
        ("部门系统", "workbench/v1/apps", apps),
        *approvals,
        ("一件事", "orchestration/v1/matters", [_plain(matter) for matter in city.matters()]),
    ]


def _organisation(org: JSON) -> JSON:
    parent, line_parent = (
        city.organisation(path)["org_id"] if path else None for path in (org["parent_path"], org.get("line_parent"))
    )
    told = {name: org[name] for name in ("org_id", "code", "name", "department", "uscc", "region_code")}
    return told | {"parent_id": parent, "line_parent_id": line_parent}


def _person(person: JSON) -> JSON:
    named = ("person_id", "name", "id_number", "phone", "proof_level")
    return {name: person[name] for name in named if name in person}


def _guardianship(each: JSON) -> JSON:
    told = {name: each[name] for name in ("guardianship_id", "basis", "proof")}
    people = {f"{role}_id": city.resident(each[role])["person_id"] for role in ("guardian", "ward")}
    return told | people


def _employee(person: JSON) -> JSON:
    return {
        "employee_id": person["employee_id"],
        "name": person["name"],
        "org_id": city.organisation(person["org_path"])["org_id"],
    }


def _post(person: JSON) -> JSON:
    return {
        "post_id": person["post_id"],
        "employee_id": person["employee_id"],
        "org_id": city.organisation(person["org_path"])["org_id"],
        "title": person["title"],
        "permissions": city.permissions(person),
        "line": person.get("line", False),
    }


def _licence_type(kind: JSON) -> JSON:
    return {"effective_from": "2026-01-01", "validity_years": None} | kind


def _licence(licence: JSON) -> JSON:
    issuer = city.organisation(licence["issuer"])
    return {
        "request_id": licence["request_id"],
        "licence_type": licence["licence_type"],
        "issuer": {name: issuer[name] for name in ("uscc", "org_id", "org_path", "region_code")},
        "holders": [city.holder_id(name) for name in licence["holders"]],
        "face": licence["face"],
    }


def _app(app: department.App) -> JSON:
    org = city.organisation(app.org_path)
    told = department.registration(department.Settings(), app)
    return told | {name: org[name] for name in ("org_id", "region_code")}


def _plain(value: Any) -> Any:
    """YAML's dates as text."""
    return json.loads(json.dumps(value, default=str))
