"""From a bearer token to the actor: who calls, in which post, proven how strongly."""

from dataclasses import dataclass, field

from common.permissions import Caller, Post


@dataclass(frozen=True, slots=True)
class Call:
    """What was called, as far as the journal and the idempotency row must know."""

    route: str
    idempotency_key: str | None = None
    request_hash: bytes | None = None
    purpose: str | None = None
    trace_id: str = ""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. The id is the person's, the employee's or the service's own."""

    kind: Caller
    id: str
    token: str = field(repr=False)
    client: str
    session: str
    acr: int
    roles: frozenset[str]
    post: Post | None
    call: Call


def system(name: str, *, route: str = "", trace_id: str = "") -> Actor:
    """Give the actor of jobs and consumers: the service itself, nobody asked."""
    return Actor(
        kind=Caller.SERVICE,
        id=name,
        token="",
        client=name,
        session="",
        acr=0,
        roles=frozenset(),
        post=None,
        call=Call(route=route or name, trace_id=trace_id),
    )
