"""What happened at the workbench, as a fact on the bus."""

from datetime import datetime

from tongban.workbench.v1 import app_events_pb2
from tongban.workbench.v1 import todo_events_pb2 as pb

from workbench.domain import Todo
from workbench.domain.app import App


def todo_claimed(todo: Todo) -> pb.TodoClaimed:
    """Tell which post claimed."""
    told = pb.TodoClaimed(
        todo_id=str(todo.todo_id), source=todo.source, source_id=todo.source_id, version=todo.revision
    )
    if todo.claim is not None:
        told.post_id = todo.claim.post_id
        told.claimed_at.FromDatetime(todo.claim.claimed_at)
    return told


def todo_returned(todo: Todo, *, post_id: str, at: datetime) -> pb.TodoReturned:
    """Tell that a post gave a todo back."""
    told = pb.TodoReturned(
        todo_id=str(todo.todo_id), source=todo.source, source_id=todo.source_id, post_id=post_id, version=todo.revision
    )
    told.returned_at.FromDatetime(at)
    return told


def todo_reassigned(todo: Todo, *, post_id: str, at: datetime) -> pb.TodoReassigned:
    """Tell to which post a todo was handed."""
    told = pb.TodoReassigned(
        todo_id=str(todo.todo_id), source=todo.source, source_id=todo.source_id, post_id=post_id, version=todo.revision
    )
    told.reassigned_at.FromDatetime(at)
    return told


def app_changed(app: App, at: datetime) -> app_events_pb2.AppChanged:
    """Tell that an app was registered or changed."""
    told = app_events_pb2.AppChanged(code=app.code, version=app.version)
    told.changed_at.FromDatetime(at)
    return told


def app_approved(app: App, at: datetime) -> app_events_pb2.AppApproved:
    """Tell that an app may be called."""
    told = app_events_pb2.AppApproved(code=app.code, version=app.version)
    told.approved_at.FromDatetime(at)
    return told


def app_suspended(app: App, at: datetime) -> app_events_pb2.AppSuspended:
    """Tell that an app is called no more."""
    told = app_events_pb2.AppSuspended(code=app.code, version=app.version)
    told.suspended_at.FromDatetime(at)
    return told
