"""The HTTP door."""

from fastapi import APIRouter

from workbench.api import apps, todos

router = APIRouter()
router.include_router(todos.router)
router.include_router(apps.router)
