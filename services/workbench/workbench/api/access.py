"""What the routes take."""

from collections.abc import Mapping
from typing import Annotated

from common.auth import Actor
from common.permissions import Caller, CallerNotAllowed
from common.web import May, app_of
from fastapi import Depends, Header, Request

from workbench.clients import Colleagues
from workbench.domain.app import AddressRules
from workbench.store import Store
from workbench.usecases.agents import Agent
from workbench.usecases.hub import Hub

_UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"


class MayFor(May):
    """Guards a route that a citizen may also take for a legal person, whose id `X-On-Behalf` names."""

    async def __call__(
        self, request: Request, on_behalf: Annotated[str | None, Header(alias="X-On-Behalf", pattern=_UUID)] = None
    ) -> Actor:
        """Give the actor, who acts for the legal person as accounts knows it at this moment, or refuse."""
        actor = await super().__call__(request)
        if on_behalf is None:
            return actor
        if actor.kind is not Caller.CITIZEN:
            raise CallerNotAllowed(permission=self.permission.name, caller=actor.kind.value)
        return Agent.of(actor, await (await app_of(request)).agencies(actor, on_behalf))


async def store_of(request: Request) -> Store:
    """Give a route the memory."""
    store: Store = (await app_of(request)).store
    return store


async def addresses_of(request: Request) -> AddressRules:
    """Give a route the rules of addresses."""
    addresses: AddressRules = (await app_of(request)).addresses
    return addresses


async def colleagues_of(request: Request) -> Colleagues:
    """Give a route the look-up of posts."""
    colleagues: Colleagues = (await app_of(request)).colleagues
    return colleagues


async def hub_of(request: Request) -> Hub:
    """Give a route the hub of the streams."""
    hub: Hub = (await app_of(request)).hub
    return hub


async def sentences_of(request: Request) -> Mapping[str, str]:
    """Give a route the texts of messages."""
    sentences: Mapping[str, str] = (await app_of(request)).sentences
    return sentences


SentencesDep = Annotated[Mapping[str, str], Depends(sentences_of)]
HubDep = Annotated[Hub, Depends(hub_of)]
StoreDep = Annotated[Store, Depends(store_of)]
ColleaguesDep = Annotated[Colleagues, Depends(colleagues_of)]
AddressesDep = Annotated[AddressRules, Depends(addresses_of)]
