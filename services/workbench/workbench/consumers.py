"""The event door: what orchestration tells about its cases becomes todos."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Protocol

from common.auth import CachedPosts, CachedStanding
from common.inbox import Fact, Subscriptions
from google.protobuf.timestamp_pb2 import Timestamp
from tongban.accounts.v1 import account_events_pb2
from tongban.orchestration.v1 import case_events_pb2 as pb
from tongban.orchestration.v1 import evidence_events_pb2 as evidence_pb
from tongban.orchestration.v1 import filing_events_pb2 as filing_pb
from tongban.verification.v1 import consent_events_pb2
from worktime import national

from workbench import usecases
from workbench.clients import Colleagues
from workbench.domain.message import MessageKind, legal_person_mailbox, person_mailbox
from workbench.domain.todo import Description, Waiting, deadlines_of
from workbench.store import Tx


class Voice(Protocol):
    """What the app lends to those who tell people something."""

    @property
    def sentences(self) -> Mapping[str, str]: ...


class OfAnApplicant(Protocol):
    """What every fact names that an applicant is told of."""

    applicant_id: str
    legal_person_id: str
    matter_code: str


class Staff(Voice, Protocol):
    """What the app lends to those who look after posts."""

    @property
    def posts(self) -> CachedPosts: ...

    @property
    def standing(self) -> CachedStanding: ...

    @property
    def colleagues(self) -> Colleagues: ...


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
        org_id=fact.named("org_id"),
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


@subscriptions.on(pb.CaseDueChanged)
async def reschedule_todo(_app: object, tx: Tx, fact: Fact[pb.CaseDueChanged]) -> None:
    """The clocks of a case were stopped, resumed or extended: it is due at another time, or at none for now."""
    case = fact.body
    deadlines = deadlines_of(
        _moment(case.promised_due_at) if case.HasField("promised_due_at") else None,
        _moment(case.statutory_due_at) if case.HasField("statutory_due_at") else None,
        accepted_at=_moment(case.changed_at),
        calendar=national(),
    )
    await usecases.accept(tx, SOURCE, case.case_id, deadlines, version=case.version)


@subscriptions.on(pb.CaseSupplementRequested)
async def suspend_todo(app: Voice, tx: Tx, fact: Fact[pb.CaseSupplementRequested]) -> None:
    """The applicant is asked for what a case lacks, until a day: its todo waits."""
    case = fact.body
    waiting = Waiting(_moment(case.requested_at), _moment(case.due_at))
    await usecases.wait(tx, SOURCE, case.case_id, waiting, version=case.version)
    told = {"item_name": case.item_name, "case_no": case.case_no, "due_on": _day(case.due_at)}
    await _tell(app, tx, MessageKind.CASE_SUPPLEMENT_REQUESTED, _hearers(case), case.case_id, **told)


@subscriptions.on(pb.CaseSupplemented)
async def resume_todo(app: Voice, tx: Tx, fact: Fact[pb.CaseSupplemented]) -> None:
    """A case is its department's again: whoever claimed its todo goes on, or the department does, and hears of it."""
    case = fact.body
    await usecases.wait(tx, SOURCE, case.case_id, None, version=case.version)
    await usecases.tell_claimer(
        *(tx, MessageKind.CASE_SUPPLEMENTED, case.case_id), about=case.case_id, source=SOURCE, sentences=app.sentences
    )


@subscriptions.on(pb.CaseDecided)
async def finish_todo(app: Voice, tx: Tx, fact: Fact[pb.CaseDecided]) -> None:
    """A case was decided: nothing is left to do, and the applicant hears of it."""
    case = fact.body
    await usecases.finish(tx, SOURCE, case.case_id, version=case.version, at=_moment(case.decided_at))
    kind = MessageKind.CASE_APPROVED if case.outcome == pb.OUTCOME_APPROVED else MessageKind.CASE_REFUSED
    await _tell(app, tx, kind, _hearers(case), case.case_id, item_name=case.item_name, case_no=case.case_no)


@subscriptions.on(pb.CasePruned)
async def drop_todo(_app: object, tx: Tx, fact: Fact[pb.CasePruned]) -> None:
    """A case left its filing undecided: nothing is left to do."""
    case = fact.body
    await usecases.finish(tx, SOURCE, case.case_id, version=case.version, at=_moment(case.pruned_at))


@subscriptions.on(pb.CaseDeclined)
async def end_declined(app: Voice, tx: Tx, fact: Fact[pb.CaseDeclined]) -> None:
    """A case was not taken up: nothing is left to do, and the applicant hears of it."""
    case = fact.body
    await usecases.finish(tx, SOURCE, case.case_id, version=case.version, at=_moment(case.declined_at))
    told = {"item_name": case.item_name, "case_no": case.case_no}
    await _tell(app, tx, MessageKind.CASE_DECLINED, _hearers(case), case.case_id, **told)


@subscriptions.on(pb.CaseWithdrawn)
async def end_withdrawn(_app: object, tx: Tx, fact: Fact[pb.CaseWithdrawn]) -> None:
    """The applicant took a case back: nothing is left to do."""
    case = fact.body
    await usecases.finish(tx, SOURCE, case.case_id, version=case.version, at=_moment(case.withdrawn_at))


@subscriptions.on(pb.CaseTerminated)
async def end_terminated(app: Voice, tx: Tx, fact: Fact[pb.CaseTerminated]) -> None:
    """A case ended without a decision: nothing is left to do, and the applicant hears of it."""
    case = fact.body
    await usecases.finish(tx, SOURCE, case.case_id, version=case.version, at=_moment(case.terminated_at))
    told = {"item_name": case.item_name, "case_no": case.case_no}
    await _tell(app, tx, MessageKind.CASE_TERMINATED, _hearers(case), case.case_id, **told)


@subscriptions.on(filing_pb.FilingSubmitted)
async def tell_submitted(app: Voice, tx: Tx, fact: Fact[filing_pb.FilingSubmitted]) -> None:
    """A filing was handed in: its applicant gets a receipt."""
    filing = fact.body
    told = {"filing_no": filing.filing_no, "cases": str(filing.cases)}
    await _tell(app, tx, MessageKind.FILING_SUBMITTED, _hearers(filing), filing.filing_id, **told)


@subscriptions.on(filing_pb.FilingClosed)
async def tell_closed(app: Voice, tx: Tx, fact: Fact[filing_pb.FilingClosed]) -> None:
    """A filing is closed: the applicant hears of it."""
    filing = fact.body
    await _tell(app, tx, MessageKind.FILING_CLOSED, _hearers(filing), filing.filing_id, filing_no=filing.filing_no)


@subscriptions.on(account_events_pb2.PostChanged)
async def drop_post(app: Staff, tx: Tx, fact: Fact[account_events_pb2.PostChanged]) -> None:
    """A post was given, changed or ended: ask anew what its employee may do, and take from a lost one what it has."""
    post = fact.body
    app.posts.drop(post.employee_id)
    if await tx.todos.is_claimer(post.post_id) and post.post_id not in await app.colleagues.holders([post.post_id]):
        await usecases.release_todos(tx, post.post_id, reason=app.sentences["POST_LOST"])


@subscriptions.on(filing_pb.FilingProposed)
async def tell_proposed(app: Voice, tx: Tx, fact: Fact[filing_pb.FilingProposed]) -> None:
    """A filing was filled in advance for somebody: the person is asked to confirm it, until a day."""
    filing = fact.body
    told = {"matter_name": filing.matter_name, "due_on": _day(filing.due_at)}
    await _tell(app, tx, MessageKind.FILING_PROPOSED, _person(filing.applicant_id), filing.filing_id, **told)


@subscriptions.on(pb.CaseDelivered)
async def tell_delivered(app: Voice, tx: Tx, fact: Fact[pb.CaseDelivered]) -> None:
    """A document was delivered: the applicant hears of it, unless he or she took it online."""
    case = fact.body
    told = {"item_name": case.item_name, "case_no": case.case_no}
    if case.mode != "online":
        await _tell(app, tx, MessageKind.CASE_DELIVERED, _hearers(case), case.document_id, **told)


@subscriptions.on(pb.CaseCorrected)
async def tell_corrected(app: Voice, tx: Tx, fact: Fact[pb.CaseCorrected]) -> None:
    """A clerical error of a decision was corrected: the applicant hears of it, each time."""
    case = fact.body
    told = {"item_name": case.item_name, "case_no": case.case_no}
    await _tell(app, tx, MessageKind.CASE_CORRECTED, _hearers(case), f"{case.case_id}:{case.version}", **told)


@subscriptions.on(consent_events_pb2.ConsentRequested)
async def tell_consent_requested(app: Voice, tx: Tx, fact: Fact[consent_events_pb2.ConsentRequested]) -> None:
    """An applicant asked for consent: its holder is told."""
    asked = fact.body
    await _tell(
        *(app, tx, MessageKind.CONSENT_REQUESTED, _person(asked.holder_id), asked.consent_request_id),
        source="verification",
    )


@subscriptions.on(evidence_pb.CaseEvidenceChanged)
async def tell_evidence_changed(app: Voice, tx: Tx, fact: Fact[evidence_pb.CaseEvidenceChanged]) -> None:
    """A licence that a case stands on changed: whoever has the todo is told, of each requirement and change once."""
    case = fact.body
    change = app.sentences.get(f"EVIDENCE_{case.change.upper()}", app.sentences["EVIDENCE_CHANGED"])
    await usecases.tell_claimer(
        *(tx, MessageKind.CASE_EVIDENCE_CHANGED, f"{case.case_id}:{case.requirement}:{case.change}"),
        about=case.case_id,
        source=SOURCE,
        sentences=app.sentences,
        change=change,
    )


async def _tell(
    app: Voice, tx: Tx, kind: MessageKind, recipients: list[str], source_id: str, *, source: str = SOURCE, **data: str
) -> None:
    if not recipients:
        return  # a fact from before facts named whom they concern
    await usecases.send_message(
        tx, kind, recipients, source=source, source_id=source_id, sentences=app.sentences, **data
    )


def _hearers(about: OfAnApplicant) -> list[str]:
    """Whom a fact about a filing is told: who acted last, and whoever acts for the legal person whose it is."""
    boxes = _person(about.applicant_id)
    if about.legal_person_id:
        boxes.append(legal_person_mailbox(about.legal_person_id))
    if about.legal_person_id and about.matter_code:
        boxes.append(legal_person_mailbox(about.legal_person_id, about.matter_code))
    return boxes


def _person(person_id: str) -> list[str]:
    return [person_mailbox(person_id)] if person_id else []


def _day(sent: Timestamp) -> str:
    return f"{national().local(_moment(sent)):%Y-%m-%d}"


def _moment(sent: Timestamp) -> datetime:
    return sent.ToDatetime(UTC)


@subscriptions.on(account_events_pb2.AccountSuspended)
async def drop_suspended(app: Staff, _tx: object, fact: Fact[account_events_pb2.AccountSuspended]) -> None:
    """An account was suspended: ask anew before the person is let in."""
    app.standing.drop(fact.body.account_id)


@subscriptions.on(account_events_pb2.AccountClosed)
async def drop_closed(app: Staff, _tx: object, fact: Fact[account_events_pb2.AccountClosed]) -> None:
    """An account was closed: ask anew before the person is let in."""
    app.standing.drop(fact.body.account_id)
