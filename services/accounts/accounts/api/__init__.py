"""The HTTP door."""

from fastapi import APIRouter

from accounts.api import accounts, delegations, guardianships, legal_persons, organisations, persons, posts

router = APIRouter()
for each in (persons, accounts, guardianships, organisations, posts, delegations, legal_persons):
    router.include_router(each.router)
