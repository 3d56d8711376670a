"""The own systems of two departments, in one process with a database of its own: `python -m demo.department`.

They take cases, decide by what stands in them, and call back: late, twice, or before the call that gave the case has
returned, as the case's id has it. A case is decided once, however often it is given and whatever is killed meanwhile.
"""

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from aiohttp import web
from http_message_signatures.exceptions import HTTPMessageSignaturesException
from pydantic_settings import BaseSettings, SettingsConfigDict

from demo.signatures import Message, key_id, public_jwk, sign, verify

JSON = dict[str, Any]
HOST = "127.0.0.1"
LATE = 1.5  # seconds that a department thinks
PAUSE = 0.3  # seconds between two looks at what is to be told
TABLE = """
create table if not exists cases (
    serial integer primary key autoincrement, case_id text not null unique, app text not null,
    attempt integer not null, decision text not null, due real not null, tell integer not null
)"""


class Settings(BaseSettings):
    """What the departments' operators are told by whoever starts the house."""

    model_config = SettingsConfigDict(env_prefix="DEPARTMENT_", frozen=True)

    port: int
    file: Path
    public_url: str
    keycloak_url: str
    secrets: dict[str, str]
    signing_keys: dict[str, str]


@dataclass(frozen=True)
class App:
    """One department's system, as it is registered."""

    code: str
    name: str
    org_path: str
    client: str
    item: str


APPS = (
    App("cdc_vaccination", "免疫规划信息系统", "zibo.zhangdian.cdc", "department-cdc", "vaccination_certificate"),
    App(
        "hr_social_security",
        "社会保障卡管理系统",
        "zibo.zhangdian.human_resources",
        "department-human-resources",
        "social_security_card",
    ),
)


def registration(settings: Settings, app: App) -> JSON:
    """What the department tells the registry."""
    pem = settings.signing_keys[app.client]
    return {
        "code": app.code,
        "name": app.name,
        "org_path": app.org_path,
        "contact": "系统值班 0533-0000000",
        "address": f"http://{HOST}:{settings.port}/{app.code}",
        "client_id": app.client,
        "items": [app.item],
        "keys": [
            {
                "key_id": key_id(pem),
                "jwk": public_jwk(pem),
                "valid_from": "2026-01-01T00:00:00+08:00",
                "valid_until": "2036-01-01T00:00:00+08:00",
            }
        ],
    }


def understood(case: JSON) -> bool:
    """A card whose holder says no way to get it is more than this system was made for: its operators must look."""
    return case["item"] != "social_security_card" or bool(case["form"].get("card_pickup"))


def decide(case: JSON, serial: int) -> JSON:
    """By what stands in the case: a child born elsewhere is refused, everything else is approved with a number."""
    if "外地" in str(case["form"].get("hospital", "")):
        return {"outcome": "refuse", "reason_code": "NOT_LOCAL", "explanation": "不在本辖区出生，请到出生地办理"}
    numbers = {
        "vaccination_certificate": {"certificate_no": f"YM{serial:08d}"},
        "social_security_card": {"card_no": f"ZB{serial:07d}"},
    }
    return {"outcome": "approve", "result": numbers[case["item"]]}


class Department:
    """Its cases, its keys and its way to call back."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._clock = clock
        self._apps = {app.code: app for app in APPS}
        self._cases = sqlite3.connect(settings.file, isolation_level=None)
        self._cases.execute("pragma journal_mode = wal")
        self._cases.execute(TABLE)
        self._http = httpx.AsyncClient(timeout=10, trust_env=False)
        self._caller: JSON = {"keys": []}
        self._ask_keys_after = 0.0

    def _now(self) -> float:
        return self._clock().timestamp()

    def application(self) -> web.Application:
        served = web.Application()
        served.router.add_get("/readyz", self._ready)
        served.router.add_post("/{app}/cases", self._given)
        served.router.add_get("/{app}/cases/{case_id}", self._asked)
        served.router.add_post("/{app}/cases/{case_id}/end", self._ended)
        served.cleanup_ctx.append(self._telling)
        return served

    async def _ready(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def _given(self, request: web.Request) -> web.Response:
        app, body = await self._believed(request)
        case = json.loads(body)
        if not understood(case):
            raise web.HTTPUnprocessableEntity
        manner = int(case["case_id"][-1], 16) % 3
        self._remember(app, case, late=manner == 0, twice=manner == 1)
        if manner == 2:
            await self._tell_due()
        return web.json_response(self._state(case["case_id"]), status=202)

    async def _asked(self, request: web.Request) -> web.Response:
        await self._believed(request)
        state = self._state(request.match_info["case_id"])
        return web.json_response(state, status=200 if state else 404)

    async def _ended(self, request: web.Request) -> web.Response:
        """A case ended without our word: what was still to be told of it is told no more."""
        await self._believed(request)
        case_id = request.match_info["case_id"]
        known = self._cases.execute("update cases set tell = 0 where case_id = ?", (case_id,)).rowcount
        return web.json_response({"state": "ended"} if known else {}, status=200 if known else 404)

    async def _believed(self, request: web.Request) -> tuple[App, bytes]:
        """Who calls is told by the signature alone, over our own address as we registered it."""
        app = self._apps.get(request.match_info["app"])
        if app is None:
            raise web.HTTPNotFound
        body = await request.read()
        url = f"http://{HOST}:{self._settings.port}{request.path_qs}"
        message = Message(request.method, url, dict(request.headers), body)
        for known in (True, False):
            if not known:
                await self._refresh_keys(app)
            with contextlib.suppress(HTTPMessageSignaturesException):
                verify(message, self._caller)
                return app, body
        raise web.HTTPUnauthorized

    def _remember(self, app: App, case: JSON, *, late: bool, twice: bool) -> None:
        """Decide a case when it comes first; given again, only its attempt is noted and told anew."""
        known = self._cases.execute("select attempt from cases where case_id = ?", (case["case_id"],)).fetchone()
        if known:
            again = "update cases set attempt = ?, tell = 1 where case_id = ? and attempt < ?"
            self._cases.execute(again, (case["attempt"], case["case_id"], case["attempt"]))
            return
        serial = self._cases.execute("select coalesce(max(serial), 0) + 1 from cases").fetchone()[0]
        decision = json.dumps(decide(case, serial), ensure_ascii=False)
        self._cases.execute(
            "insert into cases values (?, ?, ?, ?, ?, ?, ?)",
            (serial, case["case_id"], app.code, case["attempt"], decision, self._now() + LATE * late, 1 + twice),
        )

    def _state(self, case_id: str) -> JSON:
        query = "select attempt, decision, due <= ? from cases where case_id = ?"
        row = self._cases.execute(query, (self._now(), case_id)).fetchone()
        if row is None:
            return {}
        decided = {"state": "decided", **json.loads(row[1])} if row[2] else {"state": "received"}
        return {"case_id": case_id, "attempt": row[0], **decided}

    async def _telling(self, _app: web.Application) -> AsyncIterator[None]:
        async def tell() -> None:
            while True:
                await self._tell_due()
                await asyncio.sleep(PAUSE)

        task = asyncio.create_task(tell())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await self._http.aclose()
        self._cases.close()

    async def _tell_due(self) -> None:
        """Tell what was decided until it is heard; what cannot be told now is told later."""
        query = "select case_id, app, attempt, decision from cases where tell > 0 and due <= ?"
        for case_id, code, attempt, decision in self._cases.execute(query, (self._now(),)).fetchall():
            told = {"case_id": case_id, "attempt": attempt, **json.loads(decision)}
            try:
                answer = await self._call_back(self._apps[code], told)
            except httpx.HTTPError:
                return
            if answer.status_code < 500 and answer.status_code not in {401, 429}:
                heard = "update cases set tell = max(tell - 1, 0) where case_id = ? and attempt = ?"
                self._cases.execute(heard, (case_id, attempt))

    async def _call_back(self, app: App, told: JSON) -> httpx.Response:
        url = f"{self._settings.public_url}/api/orchestration/v1/callbacks"
        body = json.dumps(told, ensure_ascii=False).encode()
        message = Message("POST", url, {"Content-Type": "application/json"}, body)
        sign(message, self._settings.signing_keys[app.client], at=self._clock())
        headers = {
            **message.headers,
            "Authorization": f"Bearer {await self._token(app)}",
            "Idempotency-Key": f"{told['case_id']}-{told['attempt']}",
        }
        return await self._http.post(url, content=body, headers=headers)

    async def _refresh_keys(self, app: App) -> None:
        """Ask for the caller's keys, but not for every forged message."""
        now = asyncio.get_running_loop().time()
        if now < self._ask_keys_after:
            raise web.HTTPServiceUnavailable
        self._ask_keys_after = now + 5
        url = f"{self._settings.public_url}/api/orchestration/v1/callbacks/keys"
        try:
            headers = {"Authorization": f"Bearer {await self._token(app)}"}
            answer = (await self._http.get(url, headers=headers)).raise_for_status()
        except httpx.HTTPError as error:
            raise web.HTTPServiceUnavailable from error
        self._caller = answer.json()

    async def _token(self, app: App) -> str:
        answer = await self._http.post(
            f"{self._settings.keycloak_url}/realms/gov/protocol/openid-connect/token",
            data={"grant_type": "client_credentials"},
            auth=(app.client, self._settings.secrets[app.client]),
        )
        return str(answer.raise_for_status().json()["access_token"])


def main() -> None:
    settings = Settings()
    department = Department(settings, partial(datetime.now, UTC))  # noqa: TID251 - here the process begins
    web.run_app(department.application(), host=HOST, port=settings.port, print=None)


if __name__ == "__main__":
    main()
