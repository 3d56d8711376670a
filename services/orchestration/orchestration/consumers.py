"""The event door: what changes elsewhere and must not be remembered here."""

from typing import TYPE_CHECKING

from common.inbox import Fact, Subscriptions
from tongban.accounts.v1 import account_events_pb2 as pb
from tongban.orchestration.v1 import case_events_pb2 as case_pb
from tongban.verification.v1 import licence_events_pb2 as licence_pb
from tongban.workbench.v1 import app_events_pb2

from orchestration import usecases
from orchestration.domain.definition import Cause
from orchestration.domain.watch import Change
from orchestration.usecases import App

if TYPE_CHECKING:
    from orchestration.store import Tx

subscriptions = Subscriptions("orchestration")


@subscriptions.on(pb.PostChanged)
async def drop_post(app: App, _tx: "Tx", fact: Fact[pb.PostChanged]) -> None:
    """A post was given, changed or ended: ask anew what its employee may do."""
    app.posts.drop(fact.body.employee_id)


@subscriptions.on(licence_pb.LicenceVoided)
async def mark_voided(_app: App, tx: "Tx", fact: Fact[licence_pb.LicenceVoided]) -> None:
    """A licence was made void: the cases that stand on it must not be approved unseen."""
    body = fact.body
    await usecases.mark_change(tx, body.licence_id, body.version, change=Change.VOIDED, at=fact.time)


@subscriptions.on(licence_pb.LicenceRenewed)
async def mark_renewed(_app: App, tx: "Tx", fact: Fact[licence_pb.LicenceRenewed]) -> None:
    """A licence has another version: what its face shows may be another."""
    body = fact.body
    await usecases.mark_change(tx, body.licence_id, body.version, change=Change.RENEWED, at=fact.time)


@subscriptions.on(case_pb.CaseDecided)
async def propose_after_approval(app: App, tx: "Tx", fact: Fact[case_pb.CaseDecided]) -> None:
    """A case of ours was approved: another matter may be proposed to its applicant."""
    if fact.body.outcome == case_pb.OUTCOME_APPROVED:
        await usecases.propose_filings(tx, str(fact.named("case_id")), cause=Cause.APPROVAL, calendar=app.calendar)


@subscriptions.on(case_pb.CaseResultIssued)
async def propose_after_licence(app: App, tx: "Tx", fact: Fact[case_pb.CaseResultIssued]) -> None:
    """A case of ours gave its licence: another matter may be proposed to its applicant."""
    await usecases.propose_filings(tx, str(fact.named("case_id")), cause=Cause.LICENCE, calendar=app.calendar)


@subscriptions.on(app_events_pb2.AppChanged)
async def drop_changed_app(app: App, _tx: "Tx", fact: Fact[app_events_pb2.AppChanged]) -> None:
    """An app has another address or other keys: ask anew."""
    app.outside.apps.drop(fact.body.code)


@subscriptions.on(app_events_pb2.AppApproved)
async def drop_approved_app(app: App, _tx: "Tx", fact: Fact[app_events_pb2.AppApproved]) -> None:
    """An app may be called: ask anew."""
    app.outside.apps.drop(fact.body.code)


@subscriptions.on(app_events_pb2.AppSuspended)
async def drop_suspended_app(app: App, _tx: "Tx", fact: Fact[app_events_pb2.AppSuspended]) -> None:
    """An app is called no more: ask anew."""
    app.outside.apps.drop(fact.body.code)


@subscriptions.on(pb.PersonsMerged)
async def follow_merger(_app: App, tx: "Tx", fact: Fact[pb.PersonsMerged]) -> None:
    """Two records are of one person: what the duplicate filed, the surviving person filed."""
    await usecases.follow_merger(tx, str(fact.named("merged_id")), str(fact.named("surviving_id")))


@subscriptions.on(pb.AccountSuspended)
async def drop_suspended(app: App, _tx: "Tx", fact: Fact[pb.AccountSuspended]) -> None:
    """An account was suspended: ask anew before the person is let in."""
    app.standing.drop(fact.body.account_id)


@subscriptions.on(pb.AccountClosed)
async def drop_closed(app: App, _tx: "Tx", fact: Fact[pb.AccountClosed]) -> None:
    """An account was closed: ask anew before the person is let in."""
    app.standing.drop(fact.body.account_id)
