"""A person's browser without a screen: logs in by the code flow as people do, and calls the API as the pages will.

async with Browser("http://localhost:18000", "citizen") as browser:
    await browser.log_in(Credentials("lijing", password))
    filing = await browser.post("orchestration/v1/filings", {...})
"""

import asyncio
import time
import uuid
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import quote, urljoin, urlsplit

import httpx
import pyotp

from demo.forms import Form, complaints, forms

CODE_PERIOD = 30
LOG_IN_STEPS = 12
MUTATING = ("POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Credentials:
    """Who logs in; `totp_seed` (base32) for people who have a second factor."""

    username: str
    password: str = field(repr=False)
    totp_seed: str | None = field(default=None, repr=False)


class LogInFailed(Exception):
    """Keycloak did not let us in, or asked for something that we cannot give."""


class CallRefused(Exception):
    """The API answered with a problem."""

    def __init__(self, response: httpx.Response) -> None:
        problem = response.json() if "json" in response.headers.get("Content-Type", "") else {}
        self.status: int = response.status_code
        self.problem: dict[str, Any] = problem if isinstance(problem, dict) else {}
        self.reason: str = self.problem.get("reason", "")
        request = response.request
        super().__init__(f"{request.method} {request.url.path}: {self.status} {self.reason} {self.problem}")


class CookieRefused(Exception):
    """A real browser would have thrown this cookie away."""


class Cookies:
    """The jar. Like a browser it takes localhost for a safe place, so Secure cookies travel there without TLS."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, str], str] = {}

    def keep(self, response: httpx.Response) -> None:
        host = response.request.url.host
        for line in response.headers.get_list("Set-Cookie"):
            for name, cookie in SimpleCookie(line).items():
                path = cookie["path"] or "/"
                if name.startswith("__Host-") and (not cookie["secure"] or path != "/" or cookie["domain"]):
                    raise CookieRefused(line.split("=", 1)[0])
                key = (host, path, name)
                if cookie["max-age"] == "0" or not cookie.value:
                    self._kept.pop(key, None)
                else:
                    self._kept[key] = cookie.value

    def add(self, request: httpx.Request) -> None:
        path = request.url.path
        wanted = [
            f"{name}={value}"
            for (host, folder, name), value in self._kept.items()
            if host == request.url.host and (path == folder or path.startswith(folder.rstrip("/") + "/"))
        ]
        request.headers.pop("Cookie", None)
        if wanted:
            request.headers["Cookie"] = "; ".join(wanted)

    def get(self, name: str) -> str | None:
        return next((value for (_, _, kept), value in self._kept.items() if kept == name), None)

    def put(self, host: str, name: str, value: str) -> None:
        self._kept[(host, "/", name)] = value

    def clear(self) -> None:
        self._kept.clear()


class Browser:
    """One browser with its cookies, at one face (`citizen` or `workbench`)."""

    def __init__(self, public_url: str, face: str, *, post_id: str | None = None, timeout: float = 30) -> None:
        self.public_url = public_url.rstrip("/")
        self.face = face
        self.post_id = post_id
        self.cookies = Cookies()
        self.http = httpx.AsyncClient(
            timeout=timeout,
            trust_env=False,
            event_hooks={"request": [self._before], "response": [self._after]},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self.http.aclose()

    async def log_in(self, who: Credentials, *, return_to: str | None = None) -> httpx.Response:
        """From the log-in link to the page that one comes back to."""
        return await self.answer(f"/{self.face}/auth/login", who, params={"return_to": return_to} if return_to else {})

    async def answer(self, url: str, who: Credentials, *, params: dict[str, str] | None = None) -> httpx.Response:
        """Go somewhere that Keycloak stands before, and fill whatever form it shows."""
        # a link of Keycloak's own carries its parameters already
        page = await (self.visit(url, params=params) if params else self.visit(url))
        codes = _Codes(who)
        for _ in range(LOG_IN_STEPS):
            if page.is_success and str(page.url).startswith(f"{self.public_url}/"):
                return page
            form = next(iter(forms(page.text)), None)
            if form is None or page.is_server_error:
                raise LogInFailed(f"{who.username}: {page.status_code} {page.url.path} {complaints(page.text)}")
            await self._fill(form, who, codes, page)
            page = await self.visit(urljoin(str(page.url), form.action), method=form.method, data=form.fields)
        raise LogInFailed(f"{who.username}: still not in; the page says: {complaints(page.text)}")

    async def log_out(self) -> None:
        """End the session here, then follow the way to Keycloak and back."""
        answer = await self.http.post(self._url(f"/{self.face}/auth/logout"), headers=self._proof())
        if answer.is_error:
            raise CallRefused(answer)
        page = await self.visit(answer.json()["logout_url"])
        if page.is_error:
            raise LogInFailed(f"log-out ended at {page.status_code} {page.url.path}")

    async def session(self) -> dict[str, Any]:
        who: dict[str, Any] = await self._answer(await self.http.get(self._url(f"/{self.face}/auth/session")))
        return who

    async def visit(self, url: str, *, method: str = "get", **more: Any) -> httpx.Response:
        """Go somewhere as a person does: redirects are followed."""
        headers = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", **more.pop("headers", {})}
        return await self.http.request(method, self._url(url), headers=headers, follow_redirects=True, **more)

    async def call(
        self,
        method: str,
        path: str,
        json: Any = None,
        *,
        key: str | None = None,
        purpose: str | None = None,
        post_id: str | None = None,
        headers: dict[str, str] | None = None,
        params: dict[str, Any] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        """Call the API as the pages do (`orchestration/v1/filings`), whatever the answer is."""
        sent: dict[str, str] = {}
        if method.upper() in MUTATING:
            sent |= self._proof() | {"Idempotency-Key": key or str(uuid.uuid4())}  # noqa: TID251 a browser's own key
        if post := post_id or self.post_id:
            sent["X-Post"] = post
        if purpose:
            sent["X-Purpose"] = quote(purpose)
        url = self._url(f"/{self.face}/api/{path.removeprefix('/')}")
        return await self.http.request(
            method, url, json=json, content=content, params=params, headers=sent | (headers or {})
        )

    async def get(self, path: str, **more: Any) -> Any:
        return await self._answer(await self.call("GET", path, **more))

    async def post(self, path: str, json: Any = None, **more: Any) -> Any:
        return await self._answer(await self.call("POST", path, json, **more))

    async def put(self, path: str, json: Any = None, **more: Any) -> Any:
        return await self._answer(await self.call("PUT", path, json, **more))

    async def upload(self, path: str, requirement: str, name: str, content: bytes) -> Any:
        """Send a picture, as a file field does."""
        headers = {"Content-Type": "image/png"}
        params = {"requirement": requirement, "name": name}
        return await self._answer(await self.call("POST", path, content=content, headers=headers, params=params))

    async def _answer(self, response: httpx.Response) -> Any:
        if response.is_error:
            raise CallRefused(response)
        return response.json() if response.content else None

    async def _fill(self, form: Form, who: Credentials, codes: "_Codes", page: httpx.Response) -> None:
        asked = form.fields
        if "username" in asked or "password" in asked:
            if "password" in asked and complaints(page.text):
                raise LogInFailed(f"{who.username}: {complaints(page.text)}")
            asked |= {name: value for name, value in _typed(who).items() if name in asked}
        elif "otp" in asked:
            asked["otp"] = await codes.next()
        else:
            raise LogInFailed(f"{who.username}: Keycloak asks for {sorted(asked)}")

    def _url(self, url: str) -> str:
        return url if urlsplit(url).scheme else f"{self.public_url}{url}"

    def _proof(self) -> dict[str, str]:
        """What shows that the call comes from our own pages."""
        return {"X-Tongban-CSRF": "1", "Origin": self.public_url}

    async def _before(self, request: httpx.Request) -> None:
        self.cookies.add(request)

    async def _after(self, response: httpx.Response) -> None:
        self.cookies.keep(response)


def _typed(who: Credentials) -> dict[str, str]:
    return {"username": who.username, "password": who.password}


class _Codes:
    """One-time codes. A code counts once per person; its neighbours, which Keycloak takes too, serve soon after."""

    _given: ClassVar[dict[str, set[str]]] = {}

    def __init__(self, who: Credentials) -> None:
        self._seed = who.totp_seed
        self._used = self._given.setdefault(who.username, set())
        self._began = time.monotonic()

    async def next(self) -> str:
        if self._seed is None:
            raise LogInFailed("a one-time code is asked for and no seed is known")
        authenticator = pyotp.TOTP(self._seed, interval=CODE_PERIOD)
        while time.monotonic() - self._began < 3 * CODE_PERIOD:
            now = int(time.time())  # noqa: TID251 one-time codes follow the clock on the wall
            for moment in (now, now + CODE_PERIOD, now - CODE_PERIOD):
                code = authenticator.at(moment)
                if code not in self._used:
                    self._used.add(code)
                    return code
            await asyncio.sleep(1)
        raise LogInFailed("no one-time code is left")
