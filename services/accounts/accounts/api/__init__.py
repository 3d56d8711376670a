"""The HTTP door."""

from fastapi import APIRouter

from accounts.api import delegations, guardianships, organisations, persons, posts

router = APIRouter()
for each in (persons.router, guardianships.router, organisations.router, posts.router, delegations.router):
    router.include_router(each)
