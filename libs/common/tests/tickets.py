"""An invented service that the doors are tested with."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, override

from common import config, rpc, web
from common.auth import Actor, Authenticator, Verifier
from common.bus import Bus
from common.errors import Conflict, NotFound, Refusal, TooMany, Unavailable
from common.idempotency import Replayed
from common.permissions import Caller, Permission, Post
from common.process import House, Job
from common.web import Body, Text, app_of, may
from fastapi import APIRouter, Depends
from tongban.accounts.v1 import account_pb2, account_service_pb2, account_service_pb2_grpc

LOCALE = Path(__file__).parent / "locale"
OFFICERS = frozenset({Caller.OFFICER})
EVERYBODY = frozenset(Caller)

router = APIRouter()
nested = APIRouter(prefix="/v1/inner")


class TicketAlreadyClosed(Refusal):
    """The ticket is closed already."""


class TicketUnknown(NotFound):
    """There is no such ticket."""


REFUSALS = {"refusal": TicketAlreadyClosed, "conflict": Conflict, "away": Unavailable, "often": TooMany}


class Settings(config.Settings, env_prefix="TICKETS_"):
    keycloak_url: str
    http_port: int = 0
    grpc_port: int = 0
    client_secret: str = "s3cret"
    database_url: str = "postgresql+asyncpg://tickets:hunter2@localhost/tickets"
    slow: float = 0.5
    nats_url: str = ""


@dataclass
class App:
    settings: Settings
    authenticator: Authenticator
    closed: set[str] = field(default_factory=set)
    knocks: int = 0
    counts: asyncio.Queue[int] = field(default_factory=asyncio.Queue)

    async def count(self) -> None:
        self.counts.put_nowait(1)
        if self.counts.qsize() == 1:
            raise ValueError("the first count fails")


AppDep = Annotated[App, Depends(app_of)]
MayRead = Annotated[Actor, may(Permission("tickets:read_ticket", EVERYBODY))]
MayClose = Annotated[Actor, may(Permission("tickets:close_ticket", OFFICERS, acr=2, max_age=600))]


class CloseTicket(Body):
    note: Text
    count: int = 0
    details: dict[str, int] | None = None


@router.get("/v1/tickets/{ticket_id}")
async def read_ticket(ticket_id: str, app: AppDep, actor: MayRead) -> dict[str, Any]:
    app.knocks += 1
    match ticket_id:
        case "unknown":
            raise TicketUnknown(ticket_id=ticket_id)
        case "broken":
            raise ValueError("姓名 张三 13812345678")
        case "group":
            async with asyncio.TaskGroup() as group:
                group.create_task(refuse())
        case "lost":
            raise ConnectionResetError
        case "slow":
            await asyncio.sleep(app.settings.slow)
    if ticket_id in REFUSALS:
        raise REFUSALS[ticket_id](ticket_id=ticket_id)
    return {
        "id": ticket_id,
        "caller": actor.kind.value,
        "caller_id": actor.id,
        "post": actor.post and actor.post.id,
        "purpose": actor.call.purpose,
        "trace_id": actor.call.trace_id,
    }


async def refuse() -> None:
    raise TicketAlreadyClosed(ticket_id="group")


@router.post("/v1/tickets/{ticket_id}:close", status_code=201)
async def close_ticket(ticket_id: str, body: CloseTicket, app: AppDep, actor: MayClose) -> dict[str, Any]:
    if ticket_id in app.closed:
        raise Replayed(b'{"id":"before"}')
    app.closed.add(ticket_id)
    hashed = actor.call.request_hash.hex() if actor.call.request_hash else ""
    return {"id": ticket_id, "note": body.note, "route": actor.call.route, "hash": hashed}


@nested.get("/tickets")
async def find_tickets(actor: MayRead) -> list[str]:
    return [actor.id]


router.include_router(nested)


class Accounts(account_service_pb2_grpc.AccountServiceServicer):
    """Borrows another service's contract, for the invented one has none."""

    def __init__(self, app: App) -> None:
        self.app = app

    @override
    async def BatchGetOrganisations(self, request: Any, context: Any) -> Any:
        actor = rpc.actor(context)
        match list(request.org_ids):
            case ["unknown"]:
                raise TicketUnknown(ticket_id="unknown")
            case ["broken"]:
                raise ValueError("姓名 张三")
            case ["slow"]:
                await asyncio.sleep(5)
            case [name] if name in REFUSALS:
                raise REFUSALS[name](ticket_id=name)
        post = actor.post.id if actor.post else ""
        name = f"{actor.kind.value} {actor.id} {post} {actor.call.purpose}"
        return account_service_pb2.BatchGetOrganisationsResponse(
            organisations=[account_pb2.Organisation(org_id=name, name=actor.call.trace_id)]
        )


async def posts(_token: str, employee_id: str, post_id: str | None) -> Post:
    held = {"tickets:read_ticket", "tickets:close_ticket", "accounts:read_organisation"}
    permissions = frozenset() if employee_id == "powerless" else frozenset(held)
    return Post(post_id or "first", employee_id, "o1", "zibo.health", "370303", permissions)


@asynccontextmanager
async def opened(settings: Settings, *, clock: Any, ids: Any) -> Any:
    del clock, ids
    verifier = Verifier(settings.keycloak_url, "tickets", ["gateway", "dispatch", "workbench"])
    yield App(settings, Authenticator(verifier, posts))


def house(app: App) -> House:
    return House(
        name="tickets",
        bus=Bus(app.settings.nats_url, "tickets") if app.settings.nats_url else None,
        jobs=[Job("count_knocks", timedelta(milliseconds=50), app.count)],
        http=web.application(app, service="tickets", routers=[router], authenticator=app.authenticator, locale=LOCALE),
        http_port=app.settings.http_port,
        rpc=rpc.server(
            app,
            [(account_service_pb2_grpc.add_AccountServiceServicer_to_server, Accounts)],
            app.authenticator,
            LOCALE,
        ),
        grpc_port=app.settings.grpc_port,
    )


if __name__ == "__main__":
    from common import process

    process.main("tickets", Settings, opened, house)
