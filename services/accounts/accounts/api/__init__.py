"""The HTTP door."""

from fastapi import APIRouter

from accounts.api import guardianships, organisations, persons, posts

router = APIRouter()
for each in (persons.router, guardianships.router, organisations.router, posts.router):
    router.include_router(each)
