"""The rules of the workbench: what it knows of todos."""

from workbench.domain.todo import (
    Claim,
    Counts,
    Deadlines,
    Description,
    Stage,
    State,
    Todo,
    TodoAlreadyClaimed,
    TodoAlreadyDone,
    TodoNotFound,
    TodoView,
    accept,
    claim,
    finish,
    make_ready,
    view,
)

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
    "accept",
    "claim",
    "finish",
    "make_ready",
    "view",
]
