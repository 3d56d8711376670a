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
from workbench.usecases.consults import answer_consult, ask_consult, list_consults
from workbench.usecases.messages import count_unread, list_messages, read_message, send_message, tell_claimer
from workbench.usecases.reminders import remind_due
from workbench.usecases.sending import list_receipts, list_sent, recall_message, send_to_colleagues
from workbench.usecases.todos import (
    accept,
    claim_todo,
    count_todos,
    declare_absence,
    end_absence,
    finish,
    list_todos,
    make_ready,
    read_absence,
    read_todo,
    reassign_todo,
    release_todos,
    return_todo,
    wait,
)

__all__ = [
    "accept",
    "answer_consult",
    "approve_app",
    "ask_consult",
    "change_app",
    "claim_todo",
    "count_todos",
    "count_unread",
    "declare_absence",
    "end_absence",
    "finish",
    "get_apps",
    "list_apps",
    "list_consults",
    "list_messages",
    "list_receipts",
    "list_sent",
    "list_todos",
    "make_ready",
    "read_absence",
    "read_app",
    "read_message",
    "read_todo",
    "reassign_todo",
    "recall_message",
    "register_app",
    "release_todos",
    "remind_due",
    "return_todo",
    "send_message",
    "send_to_colleagues",
    "suspend_app",
    "tell_claimer",
    "wait",
]
