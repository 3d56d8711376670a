"""What departments' own systems tell: believed by token and signature, counted once, answered always the same."""

from datetime import timedelta

from common.auth import Actor
from common.errors import Denied, Unauthenticated
from worktime import Calendar

from orchestration.clients.signatures import WINDOW, Message, verify
from orchestration.domain import app_call as rules
from orchestration.domain.app_call import Answered, Told, Verdict
from orchestration.domain.case import Status
from orchestration.domain.refusals import CaseNotFound, SupplementOpen
from orchestration.store import Tx
from orchestration.usecases.app import App
from orchestration.usecases.cases import accept_case, approve_case, refuse_case


class SignatureReplayed(Unauthenticated):
    """The signature's nonce was used before."""


class AppSuspended(Denied):
    """The app is not approved, or suspended."""


async def prepare_callback(app: App, actor: Actor, told: Told, message: Message) -> str:
    """Believe a callback or refuse it; tells the code of the app that it comes from."""
    async with app.store.begin(actor) as tx:
        call = await tx.app_calls.of_case(told.case_id)
    registered = await app.outside.apps.get(call.app) if call else None
    # Whose case it is, is nobody else's business.
    if registered is None or registered.client_id != actor.client:
        raise CaseNotFound(case_id=told.case_id)
    if not registered.is_approved:
        raise AppSuspended(app=registered.code)
    async with app.store.begin(actor) as tx:
        nonce = verify(message, registered.keys, at=tx.unit.at)
        if not await tx.app_calls.use_nonce(registered.code, nonce):
            raise SignatureReplayed
    return registered.code


async def apply_word(tx: Tx, app: str, told: Told, *, calendar: Calendar) -> Answered:
    """Let an app's word count, if it does; the same word again is answered as it was."""
    dossier = await tx.filings.lock_by_case(told.case_id, tx.unit.actor)
    digest = rules.digest_of(told)
    earlier = await tx.app_calls.answered(told, digest)
    if earlier is not None:
        return earlier
    case, call = dossier.filing.case(told.case_id), await tx.app_calls.of_case(told.case_id)
    if call is None or call.app != app:
        raise CaseNotFound(case_id=told.case_id)
    reason = rules.ignored(call, told, app=case.app, status=case.status)
    status = case.status if reason else await _decided(tx, told, case.status, calendar)
    answered = Answered(told.case_id, told.attempt, applied=reason is None, reason=reason, status=status)
    await tx.app_calls.remember(app, told, digest, answered)
    tx.unit.record(
        "orchestration.receive_callback",
        subject=("case", told.case_id),
        owner=dossier.filing.applicant_id,
        details={"app": app, "attempt": told.attempt, "outcome": told.outcome.value, "reason": reason},
    )
    return answered


async def forget_nonces(tx: Tx) -> None:
    """Drop nonces whose signatures nobody would believe any more."""
    await tx.app_calls.forget_nonces(tx.unit.at - 2 * WINDOW - timedelta(minutes=1))


async def _decided(tx: Tx, told: Told, status: Status, calendar: Calendar) -> Status:
    if status is Status.SUPPLEMENT:
        raise SupplementOpen(case_id=told.case_id)
    if status is Status.READY:
        case = await accept_case(tx, told.case_id, calendar=calendar)
        status = case.status
        # The decision that may follow changes the same rows.
        await tx.unit.flush()
    match told.outcome:
        case Verdict.ACCEPT:
            return status
        case Verdict.APPROVE:
            decided = await approve_case(tx, told.case_id, result=dict(told.result))
        case Verdict.REFUSE:
            decided = await refuse_case(
                tx, told.case_id, reason_code=told.reason_code or "", explanation=told.explanation or ""
            )
    await tx.app_calls.close(told.case_id)
    return decided.status
