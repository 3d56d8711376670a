"""The HTTP door."""

from fastapi import APIRouter

from orchestration.api import (
    attachments,
    callbacks,
    cases,
    deliveries,
    documents,
    endings,
    filings,
    limits,
    matters,
    supplements,
)

router = APIRouter()
# Routing tries one after the other: what officers and citizens do all day comes first.
for each in (cases, filings, matters, attachments, documents, endings, deliveries, supplements, limits, callbacks):
    router.include_router(each.router)
