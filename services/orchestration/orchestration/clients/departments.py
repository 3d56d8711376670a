"""Calls to departments' own systems: signed, never to a place where none may be, each behind a breaker of its own."""

import asyncio
import ipaddress
import json
import secrets
import socket
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState
from pydantic import TypeAdapter, ValidationError

from orchestration.clients.signatures import Message, Signer
from orchestration.domain.app_call import Answer, Reply, Told, Verdict
from orchestration.domain.registered import RegisteredApp

_WITHIN = 8.0  # seconds for all of a call, however slowly the answer drips
_LONGEST_ANSWER = 64 * 1024
_FAILURES = 5
_OPEN_FOR = 15.0
_TOLD = TypeAdapter(Told)
# reading all root certificates takes as long as opening everything else
_TRUSTED = httpx.create_ssl_context()
_FIELDS = ("case_id", "attempt", "outcome", "result", "reason_code", "explanation")
# all of IPv6 that is given to hosts of the world; what lies beside it is turned into other addresses (NAT64, IPv4
# within) or kept by sites, and two networks in it are turned too (Teredo, 6to4)
_WORLD = ipaddress.ip_network("2000::/3")
_TURNED = tuple(ipaddress.ip_network(network) for network in ("2001::/32", "2002::/16"))
# the app says that it did nothing, and we may come again; one that does not believe our signature may have a clock that
# is off, or not have our new key yet
_LATER = {401, 408, 425, 429, 503}


class AddressForbidden(Exception):
    """The name leads to a place where no department's system may be."""


class AppFailed(Exception):
    """The app answered, and the answer counts against it."""

    def __init__(self, reply: Reply, error: str) -> None:
        super().__init__(error)
        self.reply = reply
        self.error = error


class Places:
    """Where an app may be: anywhere public, in networks that are named, and on our loopback if it is said so."""

    def __init__(self, networks: Sequence[str] = (), *, loopback: bool = False) -> None:
        self._networks = [ipaddress.ip_network(network) for network in networks]
        self._loopback = loopback

    async def find(self, host: str, port: int) -> str:
        """Resolve a name anew; every address behind it must be allowed."""
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [ipaddress.ip_address(each[4][0]) for each in found]
        for address in addresses:
            if not self._allows(address):
                raise AddressForbidden
        return str(addresses[0])

    def _allows(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
        plain = getattr(address, "ipv4_mapped", None) or address
        if plain.is_loopback:
            return self._loopback
        if any(plain in network for network in self._networks):
            return True
        if not plain.is_global or plain.is_multicast:
            return False
        return plain.version == 4 or (plain in _WORLD and not any(plain in network for network in _TURNED))  # noqa: PLR2004 - IPv4


class Departments:
    """Gives cases to apps and asks how far they are."""

    def __init__(self, signer: Signer, places: Places, clock: Callable[[], datetime]) -> None:
        self.signer = signer
        self._places = places
        self._clock = clock
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(5, connect=2), trust_env=False, follow_redirects=False, verify=_TRUSTED
        )
        self._breakers = AsyncCircuitBreakerFactory(default_threshold=_FAILURES, default_ttl=_OPEN_FOR)

    async def close(self) -> None:
        await self._http.aclose()

    async def give(self, app: RegisteredApp, case: Mapping[str, Any]) -> Answer:
        """Hand a case to an app; the same case again is the same to it."""
        body = json.dumps(case, ensure_ascii=False).encode()
        return await self._guarded(app, "POST", f"{app.address}/cases", body, {"Idempotency-Key": str(case["case_id"])})

    async def end(self, app: RegisteredApp, ended: Mapping[str, Any]) -> Answer:
        """Tell an app that a case ended without its word; told again it is the same."""
        body = json.dumps(ended, ensure_ascii=False).encode()
        url = f"{app.address}/cases/{ended['case_id']}/end"
        return await self._guarded(app, "POST", url, body, {"Idempotency-Key": f"{ended['case_id']}-end"}, heard=_heard)

    async def ask(self, app: RegisteredApp, case_id: str) -> Answer:
        """Ask an app how far it is with a case."""
        return await self._guarded(app, "GET", f"{app.address}/cases/{case_id}", b"", {})

    async def _guarded(
        self,
        app: RegisteredApp,
        method: str,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        heard: Callable[[str, int, bytes], Answer] | None = None,
    ) -> Answer:
        try:
            async with await self._breakers.get_breaker(app.code):
                status, content = await self._call(method, url, body, headers)
                return (heard or _understood)(method, status, content)
        except OpenedState:
            return Answer(Reply.RESTING, error="APP_RESTING")
        except AddressForbidden:
            return Answer(Reply.REJECTED, error="APP_ADDRESS_FORBIDDEN")
        except (httpx.ConnectError, httpx.ConnectTimeout, socket.gaierror):
            return Answer(Reply.UNREACHED, error="APP_UNREACHED")
        except (httpx.HTTPError, OSError):
            return Answer(Reply.UNSURE, error="APP_BROKE_OFF")
        except AppFailed as failed:
            return Answer(failed.reply, error=failed.error)

    async def _call(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        async with asyncio.timeout(_WITHIN):
            return await self._exchange(method, url, body, headers)

    async def _exchange(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        split = urlsplit(url)
        port = split.port or (443 if split.scheme == "https" else 80)
        host = split.hostname or ""
        address = await self._places.find(host, port)
        typed = {"Content-Type": "application/json"} if body else {}
        sent = {**headers, **typed, "Host": split.netloc, "Accept-Encoding": "identity"}
        message = Message(method, url, sent, body)
        self.signer.sign(message, at=self._clock(), nonce=secrets.token_urlsafe(18))
        # The connection goes to the address that was looked at, not to what the name says a moment later.
        literal = f"[{address}]" if ":" in address else address
        request = self._http.build_request(
            method,
            split._replace(netloc=f"{literal}:{port}").geturl(),
            content=body or None,
            headers=message.headers,
            extensions={"sni_hostname": host},
        )
        answer = await self._http.send(request, stream=True)
        try:
            content = b""
            # As it came: a packed answer, which nobody asked for, would be unpacked before its length is known.
            async for chunk in answer.aiter_raw():
                content += chunk
                if len(content) > _LONGEST_ANSWER:
                    raise httpx.ReadError("too long")
        finally:
            await answer.aclose()
        return answer.status_code, content


def _failing(status: int) -> str:
    """Refuse an answer that counts against the app; else tells what it would be called."""
    error = f"APP_ANSWERED_{status}"
    if status in _LATER:
        raise AppFailed(Reply.UNREACHED, error)
    if status >= 500:  # noqa: PLR2004 - the server's own fault
        raise AppFailed(Reply.UNSURE, error)
    return error


def _heard(_method: str, status: int, _content: bytes) -> Answer:
    """Whether the app heard that a case ended; one that does not know the case need not."""
    error = _failing(status)
    if status in {httpx.codes.NOT_FOUND, httpx.codes.GONE}:
        return Answer(Reply.UNKNOWN)
    return Answer(Reply.TAKEN) if httpx.codes.is_success(status) else Answer(Reply.REJECTED, error=error)


def _understood(method: str, status: int, content: bytes) -> Answer:
    error = _failing(status)
    if status not in {200, 201, 202}:
        unknown = method == "GET" and status == httpx.codes.NOT_FOUND
        return Answer(Reply.UNKNOWN if unknown else Reply.REJECTED, error=error)
    try:
        content_read = json.loads(content)
        if content_read["state"] != "decided":
            return Answer(Reply.TAKEN)
        told = _TOLD.validate_python({name: content_read[name] for name in _FIELDS if name in content_read})
    except (ValueError, KeyError, TypeError, ValidationError) as unreadable:
        raise AppFailed(Reply.UNSURE, "APP_ANSWER_UNREADABLE") from unreadable
    return Answer(Reply.TAKEN) if told.outcome is Verdict.ACCEPT else Answer(Reply.DECIDED, told=told)
