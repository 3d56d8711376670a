"""Every call to others."""

from orchestration.clients.apps import Apps
from orchestration.clients.departments import Departments, Places
from orchestration.clients.services import Accounts, Verification
from orchestration.clients.signatures import Signer

__all__ = ["Accounts", "Apps", "Departments", "Places", "Signer", "Verification"]
