"""The verbs of the workbench."""

from workbench.usecases.todos import accept, claim_todo, count_todos, finish, list_todos, make_ready, read_todo

__all__ = ["accept", "claim_todo", "count_todos", "finish", "list_todos", "make_ready", "read_todo"]
