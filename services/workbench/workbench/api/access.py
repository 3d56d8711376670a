"""What the routes take."""

from typing import Annotated

from common.web import app_of
from fastapi import Depends, Request

from workbench.domain.app import AddressRules
from workbench.store import Store


async def store_of(request: Request) -> Store:
    """Give a route the memory."""
    store: Store = (await app_of(request)).store
    return store


async def addresses_of(request: Request) -> AddressRules:
    """Give a route the rules of addresses."""
    addresses: AddressRules = (await app_of(request)).addresses
    return addresses


StoreDep = Annotated[Store, Depends(store_of)]
AddressesDep = Annotated[AddressRules, Depends(addresses_of)]
