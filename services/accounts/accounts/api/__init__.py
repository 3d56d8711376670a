"""The HTTP door."""

from accounts.api import organisations, persons, posts

__all__ = ["ROUTERS"]

ROUTERS = (persons.router, organisations.router, posts.router)
