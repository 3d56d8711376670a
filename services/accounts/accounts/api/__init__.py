"""The HTTP door."""

from fastapi import APIRouter

from accounts.api import accounts, delegations, guardianships, legal_persons, mergers, organisations, persons, posts

router = APIRouter()
for each in (persons, accounts, guardianships, organisations, posts, delegations, legal_persons, mergers):
    router.include_router(each.router)
