"""The rules of the workbench: what it knows of todos."""

from workbench.domain.todo import (
    Claim,
    Deadlines,
    Description,
    Stage,
    State,
    Todo,
    TodoAlreadyClaimed,
    TodoAlreadyDone,
    TodoNotFound,
    Waiting,
    accept,
    claim,
    finish,
    make_ready,
    wait,
)
from workbench.domain.todo_list import Counts, TodoView, view

__all__ = [
    "Claim",
    "Counts",
    "Deadlines",
    "Description",
    "Stage",
    "State",
    "Todo",
    "TodoAlreadyClaimed",
    "TodoAlreadyDone",
    "TodoNotFound",
    "TodoView",
    "Waiting",
    "accept",
    "claim",
    "finish",
    "make_ready",
    "view",
    "wait",
]
