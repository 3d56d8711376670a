"""The HTTP door."""

from orchestration.api.cases import router as cases
from orchestration.api.filings import router as filings
from orchestration.api.matters import router as matters

# Routing tries one after the other: what officers and citizens do all day comes first.
ROUTERS = (cases, filings, matters)

__all__ = ["ROUTERS"]
