"""The HTTP door."""

from fastapi import APIRouter

from accounts.api import accounts, delegations, guardianships, organisations, persons, posts

router = APIRouter()
for each in (persons, accounts, guardianships, organisations, posts, delegations):
    router.include_router(each.router)
