"""The verbs of the workbench."""

from workbench.usecases.apps import (
    approve_app,
    change_app,
    get_apps,
    list_apps,
    read_app,
    register_app,
    suspend_app,
)
from workbench.usecases.todos import accept, claim_todo, count_todos, finish, list_todos, make_ready, read_todo

__all__ = [
    "accept",
    "approve_app",
    "change_app",
    "claim_todo",
    "count_todos",
    "finish",
    "get_apps",
    "list_apps",
    "list_todos",
    "make_ready",
    "read_app",
    "read_todo",
    "register_app",
    "suspend_app",
]
