"""The HTTP door."""

from fastapi import APIRouter

from workbench.api import apps, consults, messages, sending, stream, todos

router = APIRouter()
router.include_router(todos.router)
router.include_router(apps.router)
router.include_router(consults.router)
router.include_router(messages.router)
router.include_router(sending.router)
router.include_router(stream.router)
