"""The HTTP door."""

from fastapi import APIRouter

from workbench.api import todos

router = APIRouter()
router.include_router(todos.router)
