"""A department's own system as a small real server: it signs, verifies, and misbehaves as it is told."""

import asyncio
import json
import secrets
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
from aiohttp import web
from common.testing.world import Clock
from joserfc.jwk import ECKey
from orchestration.clients.signatures import Message, Signer, verify
from orchestration.domain.registered import AppKey
from tongban.workbench.v1 import app_pb2

APP = "cdc_system"
CLIENT = "department-cdc"
CALLBACK = "http://localhost/api/orchestration/v1/callbacks"
LONG_AGO, FAR_OFF = datetime(2020, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)


class Department:
    """Knows the cases that it was given, each once."""

    def __init__(self, clock: Clock, callers: list[AppKey]) -> None:
        self.clock = clock
        self.callers = callers
        self.signer = Signer(ECKey.generate_key("P-256").as_pem(private=True).decode())
        self.cases = {}
        self.effects = []
        self.heard = []
        self.ended = []
        self.ending = None
        self.behave = None
        self.decided = {}
        self.url = ""
        self.registry = None

    async def _given(self, request):
        body = await request.read()
        self._check(request, body)
        case = json.loads(body)
        self.heard.append(("give", case["case_id"], case["attempt"]))
        if self.behave:
            early = await self.behave(self, case)
            if early is not None:
                return early
        self.take(case)
        return web.json_response(self._state(case["case_id"]), status=202)

    async def _asked(self, request):
        self._check(request, b"")
        case_id = request.match_info["case_id"]
        self.heard.append(("ask", case_id, None))
        if case_id not in self.cases:
            return web.json_response({}, status=404)
        return web.json_response(self._state(case_id))

    async def _told_end(self, request):
        body = await request.read()
        self._check(request, body)
        ended = json.loads(body)
        self.heard.append(("end", ended["case_id"], ended["attempt"]))
        if self.ending is not None:
            return web.Response(status=self.ending)
        if ended["case_id"] not in self.cases:
            return web.json_response({}, status=404)
        self.ended.append(ended)
        return web.json_response({"state": "ended"})

    def take(self, case):
        if case["case_id"] not in self.cases:
            self.effects.append(case["case_id"])
        self.cases[case["case_id"]] = case

    def _state(self, case_id):
        case = self.cases[case_id]
        decision = self.decided.get(case_id)
        state = {"state": "decided", **decision} if decision else {"state": "received"}
        return {"case_id": case_id, "attempt": case["attempt"], **state}

    def _check(self, request, body):
        headers = {name: value for name, value in request.headers.items() if name.lower() != "host"}
        message = Message(request.method, f"{self.url}{request.path_qs}", headers, body)
        verify_any(message, self.callers, self.clock(), body=bool(body))

    @asynccontextmanager
    async def serve(self, port=0):
        app = web.Application()
        app.router.add_post("/cases", self._given)
        app.router.add_get("/cases/{case_id}", self._asked)
        app.router.add_post("/cases/{case_id}/end", self._told_end)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    def registered(self, code=APP, **changes):
        public = {name: self.signer.jwk[name] for name in ("kty", "crv", "x", "y")}
        key = app_pb2.AppKey(key_id=self.signer.key_id, jwk=json.dumps(public))
        key.valid_from.FromDatetime(LONG_AGO)
        key.valid_until.FromDatetime(FAR_OFF)
        told = {
            "code": code,
            "org_path": "zibo.zhangdian.cdc",
            "address": self.url,
            "client_id": CLIENT,
            "items": ["vaccination_certificate"],
            "keys": [key],
            "state": app_pb2.APP_STATE_APPROVED,
        } | changes
        return app_pb2.App(**told)

    def word(self, case_id, outcome="approve", *, attempt=1, **more):
        told = {"case_id": case_id, "attempt": attempt, "outcome": outcome, **more}
        if outcome == "approve":
            told.setdefault("result", {"certificate_no": "YZ2026001"})
        if outcome == "refuse":
            told |= {"reason_code": "NOT_LOCAL", "explanation": "不在本辖区出生"}
        return told

    def signed(self, told, *, url=CALLBACK, nonce="", at=None, signer=None):
        body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
        message = Message("POST", url, {"Content-Type": "application/json"}, body)
        (signer or self.signer).sign(message, at=at or self.clock(), nonce=nonce or secrets.token_urlsafe(12))
        return message


def verify_any(message, keys, at, *, body):
    if body:
        verify(message, keys, at=at)
        return
    assert "Signature" in message.headers


async def slow(_department, _case):
    await asyncio.sleep(30)


async def send(http: httpx.AsyncClient, message: Message, **headers) -> httpx.Response:
    return await http.post("/v1/callbacks", content=message.body, headers={**message.headers, **headers})
