"""What happened at the workbench, as a fact on the bus."""

from tongban.workbench.v1 import todo_events_pb2 as pb

from workbench.domain import Todo


def todo_claimed(todo: Todo) -> pb.TodoClaimed:
    """Tell which post claimed."""
    told = pb.TodoClaimed(
        todo_id=str(todo.todo_id), source=todo.source, source_id=todo.source_id, version=todo.revision
    )
    if todo.claim is not None:
        told.post_id = todo.claim.post_id
        told.claimed_at.FromDatetime(todo.claim.claimed_at)
    return told
