"""The registry of apps (workbench), remembered for a while."""

import json
import time
from datetime import UTC

from common import rpc
from common.auth import ServiceToken
from grpc.aio import Channel
from tongban.workbench.v1 import app_pb2, app_service_pb2
from tongban.workbench.v1.app_service_pb2_grpc import AppServiceStub

from orchestration.domain.registered import AppKey, RegisteredApp

_LIVE = 30.0  # seconds, if nobody tells us that an app changed


class Apps:
    """Apps by their code."""

    def __init__(self, channel: Channel, own: ServiceToken) -> None:
        self._stub = AppServiceStub(channel)
        self._own = own
        self._known: dict[str, tuple[RegisteredApp, float]] = {}

    async def get(self, code: str) -> RegisteredApp | None:
        """Give the app, if it is registered."""
        known, until = self._known.get(code, (None, 0.0))
        if known is not None and time.monotonic() < until:
            return known
        asked = app_service_pb2.GetAppsRequest(codes=[code])
        answer = await rpc.call(self._stub.GetApps, asked, token=await self._own.token())
        for app in answer.apps:
            self._known[app.code] = (_app(app), time.monotonic() + _LIVE)
        return next((_app(app) for app in answer.apps if app.code == code), None)

    def drop(self, code: str) -> None:
        """Forget what is known of an app."""
        self._known.pop(code, None)


def _app(app: app_pb2.App) -> RegisteredApp:
    return RegisteredApp(
        code=app.code,
        org_path=app.org_path,
        address=app.address,
        client_id=app.client_id,
        items=frozenset(app.items),
        keys=tuple(
            AppKey(
                key_id=key.key_id,
                jwk=json.loads(key.jwk),
                valid_from=key.valid_from.ToDatetime(UTC),
                valid_until=key.valid_until.ToDatetime(UTC),
            )
            for key in app.keys
        ),
        is_approved=app.state == app_pb2.APP_STATE_APPROVED,
    )
