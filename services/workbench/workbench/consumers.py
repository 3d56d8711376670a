"""The event door: what orchestration tells about its cases becomes todos."""

from datetime import UTC, datetime
from uuid import UUID

from common.inbox import Fact, Subscriptions, Unreadable
from google.protobuf.timestamp_pb2 import Timestamp
from tongban.orchestration.v1 import case_events_pb2 as pb
from worktime import national

from workbench import usecases
from workbench.domain.todo import Description, deadlines_of
from workbench.store import Tx

SOURCE = "orchestration"

subscriptions = Subscriptions("workbench")


@subscriptions.on(pb.CaseReady)
async def open_todo(_app: object, tx: Tx, fact: Fact[pb.CaseReady]) -> None:
    """A case is ready: its department has something to do, unless the department's own system does it."""
    case = fact.body
    if case.app:
        return
    description = Description(
        title=f"{case.item_name} {case.case_no}",
        org_id=_id(case.org_id),
        org_path=case.org_path,
        region_code=case.region_code,
        ready_at=_moment(case.ready_at),
        matter_code=case.matter_code,
        item_code=case.item_code,
    )
    await usecases.make_ready(tx, SOURCE, case.case_id, description, version=case.version)


@subscriptions.on(pb.CaseAccepted)
async def schedule_todo(_app: object, tx: Tx, fact: Fact[pb.CaseAccepted]) -> None:
    """A case was accepted: its clocks run."""
    case = fact.body
    deadlines = deadlines_of(
        _moment(case.promised_due_at) if case.HasField("promised_due_at") else None,
        _moment(case.statutory_due_at) if case.HasField("statutory_due_at") else None,
        accepted_at=_moment(case.accepted_at),
        calendar=national(),
    )
    await usecases.accept(tx, SOURCE, case.case_id, deadlines, version=case.version)


@subscriptions.on(pb.CaseDecided)
async def finish_todo(_app: object, tx: Tx, fact: Fact[pb.CaseDecided]) -> None:
    """A case was decided: nothing is left to do."""
    case = fact.body
    await usecases.finish(tx, SOURCE, case.case_id, version=case.version, at=_moment(case.decided_at))


@subscriptions.on(pb.CasePruned)
async def drop_todo(_app: object, tx: Tx, fact: Fact[pb.CasePruned]) -> None:
    """A case left its filing undecided: nothing is left to do."""
    case = fact.body
    await usecases.finish(tx, SOURCE, case.case_id, version=case.version, at=_moment(case.pruned_at))


@subscriptions.on(pb.CaseDeclined)
async def end_declined(_app: object, tx: Tx, fact: Fact[pb.CaseDeclined]) -> None:
    """A case was not taken up: nothing is left to do."""
    case = fact.body
    await usecases.finish(tx, SOURCE, case.case_id, version=case.version, at=_moment(case.declined_at))


@subscriptions.on(pb.CaseWithdrawn)
async def end_withdrawn(_app: object, tx: Tx, fact: Fact[pb.CaseWithdrawn]) -> None:
    """The applicant took a case back: nothing is left to do."""
    case = fact.body
    await usecases.finish(tx, SOURCE, case.case_id, version=case.version, at=_moment(case.withdrawn_at))


@subscriptions.on(pb.CaseTerminated)
async def end_terminated(_app: object, tx: Tx, fact: Fact[pb.CaseTerminated]) -> None:
    """A case ended without a decision: nothing is left to do."""
    case = fact.body
    await usecases.finish(tx, SOURCE, case.case_id, version=case.version, at=_moment(case.terminated_at))


def _moment(sent: Timestamp) -> datetime:
    return sent.ToDatetime(UTC)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Unreadable("org_id") from error
