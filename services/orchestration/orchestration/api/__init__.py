"""The HTTP door."""

from fastapi import APIRouter

from orchestration.api import (
    archives,
    attachments,
    callbacks,
    cases,
    deliveries,
    documents,
    endings,
    filings,
    limits,
    matters,
    proposals,
    supplements,
)

router = APIRouter()
# Routing tries one after the other: what officers and citizens do all day comes first.
doors = (
    cases,
    filings,
    matters,
    attachments,
    documents,
    endings,
    deliveries,
    supplements,
    limits,
    proposals,
    archives,
    callbacks,
)
for each in doors:
    router.include_router(each.router)
