"""Every call to others."""

from orchestration.clients.services import Accounts, Verification

__all__ = ["Accounts", "Verification"]
