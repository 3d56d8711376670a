"""The gRPC door: the registry for those who call the apps."""

import re
from datetime import datetime
from typing import Any

import grpc
import orjson
from common import rpc
from common.errors import Invalid
from google.protobuf.timestamp_pb2 import Timestamp
from tongban.workbench.v1 import app_pb2, app_service_pb2, app_service_pb2_grpc

from workbench import usecases
from workbench.domain.app import App, AppState
from workbench.store import Store

type Context = grpc.aio.ServicerContext[Any, Any]

MOST_CODES = 200
_CODE = re.compile(r"[a-z][a-z0-9_]{0,62}")
_STATES = {
    AppState.DRAFT: app_pb2.APP_STATE_DRAFT,
    AppState.APPROVED: app_pb2.APP_STATE_APPROVED,
    AppState.SUSPENDED: app_pb2.APP_STATE_SUSPENDED,
}


class CodesUnfit(Invalid):
    """Too many codes, or some that are none."""


class AppService(app_service_pb2_grpc.AppServiceServicer):
    """Answers for the registry."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def GetApps(  # noqa: N802 - named by the contract
        self, request: app_service_pb2.GetAppsRequest, context: Context
    ) -> app_service_pb2.GetAppsResponse:
        if len(request.codes) > MOST_CODES or not all(_CODE.fullmatch(code) for code in request.codes):
            raise CodesUnfit
        async with self._store.begin(rpc.actor(context)) as tx:
            found = await usecases.get_apps(tx, list(request.codes))
        return app_service_pb2.GetAppsResponse(apps=[_app(app) for app in found])


def _app(app: App) -> app_pb2.App:
    return app_pb2.App(
        code=app.code,
        org_id=str(app.org_id),
        org_path=app.org_path,
        address=app.address,
        client_id=app.client_id,
        items=app.items,
        keys=[
            app_pb2.AppKey(
                key_id=key.key_id,
                jwk=orjson.dumps(dict(key.jwk)).decode(),
                valid_from=_moment(key.valid_from),
                valid_until=_moment(key.valid_until),
            )
            for key in app.keys
        ],
        state=_STATES[app.state],
        version=app.version,
    )


def _moment(at: datetime) -> Timestamp:
    moment = Timestamp()
    moment.FromDatetime(at)
    return moment


SERVICES = ((app_service_pb2_grpc.add_AppServiceServicer_to_server, AppService),)
