"""What the routes take."""

from collections.abc import Mapping
from typing import Annotated

from common.web import app_of
from fastapi import Depends, Request

from workbench.clients import Colleagues
from workbench.domain.app import AddressRules
from workbench.store import Store
from workbench.usecases.hub import Hub


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
