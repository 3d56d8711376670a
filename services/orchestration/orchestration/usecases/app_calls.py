"""Giving cases to departments' own systems: a row first, the call outside, what came of it in its own transaction."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

from common import telemetry
from common.auth import Actor
from common.errors import Refusal

from orchestration.domain import app_call as rules
from orchestration.domain.app_call import Answer, AppCall, Phase, Reply
from orchestration.domain.call import Kind
from orchestration.domain.case import WITH_DEPARTMENT, Case
from orchestration.domain.refusals import ClockStopped, IncidentNotFound, NotOfAnApp, SupplementOpen
from orchestration.domain.registered import RegisteredApp
from orchestration.store import Tx
from orchestration.usecases.acts import record_act
from orchestration.usecases.app import App
from orchestration.usecases.callbacks import apply_word
from orchestration.usecases.cases import CaseDetail, read_case

_WHY = "give_case_to_app"  # what the applicant reads: why the case was looked at


class Bulkheads:
    """The calls under way, so many at most to each app: a slow one takes no other's place."""

    def __init__(self, most: int = 4) -> None:
        self._most = most
        self._under_way: dict[str, set[asyncio.Task[None]]] = {}

    def room(self, app: str) -> int:
        return self._most - len(self._under_way.get(app, ()))

    def start(self, app: str, call: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(call)
        under_way = self._under_way.setdefault(app, set())
        under_way.add(task)
        task.add_done_callback(under_way.discard)

    async def idle(self) -> None:
        """Wait until no call is under way."""
        while tasks := [task for each in self._under_way.values() for task in each]:
            await asyncio.wait(tasks)

    async def close(self) -> None:
        """Break off what is under way: its lease gives it to the next."""
        for each in self._under_way.values():
            for task in each:
                task.cancel()
        await self.idle()


async def run_app_calls(app: App, actor: Actor, bulkheads: Bulkheads) -> int:
    """Take calls to apps that are due, as many as there is room for, and start them; tells how many."""
    async with app.store.begin(actor) as tx:
        taken = [
            call
            for code in await tx.app_calls.due_apps()
            if (room := bulkheads.room(code)) > 0
            for call in await tx.app_calls.take(code, room)
        ]
    for call in taken:
        bulkheads.start(call.app, _run(app, actor, call))
    return len(taken)


async def retry_incident(tx: Tx, call_id: str) -> None:
    """Try a call that was given up again; a case is given to its app in a new attempt."""
    found = await tx.app_calls.incident(call_id)
    if found is None:
        raise IncidentNotFound(call_id=call_id)
    kind, _ = found
    await tx.app_calls.retry(call_id, new_attempt=kind is Kind.APP_CASE)
    tx.unit.record("orchestration.retry_incident", subject=("call", call_id), details={"kind": kind.value})


async def hand_over_incident(tx: Tx, call_id: str) -> None:
    """Give the case of an app that fails to the department's officers (转人工)."""
    found = await tx.app_calls.incident(call_id)
    if found is None:
        raise IncidentNotFound(call_id=call_id)
    _, call = found
    if call is None:
        raise NotOfAnApp(call_id=call_id)
    await _hand_over(tx, call)


async def _hand_over(tx: Tx, call: AppCall) -> None:
    dossier = await tx.filings.lock_by_case(call.case_id, tx.unit.actor)
    step = rules.hand_over(dossier.filing, call.case_id, at=tx.unit.at)
    await tx.app_calls.take_from_app(call.case_id)
    await tx.app_calls.close(call.case_id)
    await tx.filings.save(step, case_id=call.case_id)
    record_act(tx, "hand_over", dossier, step, call.case_id)


async def _run(app: App, actor: Actor, call: AppCall) -> None:
    try:
        answer = await (_told(app, actor, call) if call.phase is Phase.TELL else _made(app, actor, call))
        async with app.store.begin(actor) as tx:
            following = rules.after(call, answer.reply, at=tx.unit.at, chance=app.chance())
            await tx.app_calls.go_on(call, following, error=answer.error)
    except Exception as error:  # noqa: BLE001 - the last catch of a task: its lease gives the call to the next
        telemetry.log.error("orchestration.app_call_failed", call_id=call.id, app=call.app, exc_info=error)


async def _made(app: App, actor: Actor, call: AppCall) -> Answer:
    try:
        registered = await app.outside.apps.get(call.app)
        if registered is None or not registered.is_approved:
            return Answer(Reply.UNREACHED, error="APP_NOT_APPROVED")
        async with app.store.begin(actor) as tx:
            case = (await tx.cases.read(call.case_id)).case
        if case.status not in WITH_DEPARTMENT or case.app != call.app:
            return Answer(Reply.DECIDED)
        if not registered.is_of(case.org_path) or case.item not in registered.items:
            async with app.store.begin(actor) as tx:
                await _hand_over(tx, call)
            return Answer(Reply.DECIDED)
        answer = await _called(app, actor, registered, call)
        if answer.told is not None:
            return await _taken_at_its_word(app, actor, call, answer)
    except Refusal as refusal:
        return Answer(Reply.UNREACHED, error=refusal.reason)
    return answer


async def _told(app: App, actor: Actor, call: AppCall) -> Answer:
    """Tell an app that a case which it holds ended without its word."""
    try:
        registered = await app.outside.apps.get(call.app)
        if registered is None or not registered.is_approved:
            return Answer(Reply.UNREACHED, error="APP_NOT_APPROVED")
        async with app.store.begin(actor) as tx:
            case = (await tx.cases.read(call.case_id)).case
    except Refusal as refusal:
        return Answer(Reply.UNREACHED, error=refusal.reason)
    return await app.outside.departments.end(registered, _ended(call, case))


async def _called(app: App, actor: Actor, registered: RegisteredApp, call: AppCall) -> Answer:
    if call.phase is not Phase.GIVE:
        return await app.outside.departments.ask(registered, call.case_id)
    giving = replace(actor, call=replace(actor.call, purpose=_WHY))
    async with app.store.begin(giving) as tx:
        detail = await read_case(tx, call.case_id)
    return await app.outside.departments.give(registered, _content(call, detail))


async def _taken_at_its_word(app: App, actor: Actor, call: AppCall, answer: Answer) -> Answer:
    """An app that answers with its decision needs no callback; a decision that is no good waits for people."""
    told = answer.told
    if told is None or told.case_id != call.case_id or told.attempt != call.attempt:
        return Answer(Reply.UNSURE, error="ATTEMPT_OUTDATED")
    try:
        async with app.store.begin(actor) as tx:
            await apply_word(tx, call.app, told, calendar=app.calendar)
    except (ClockStopped, SupplementOpen) as early:
        # It cannot count yet: the app is asked again later.
        return Answer(Reply.TAKEN, error=early.reason)
    except Refusal as refusal:
        return Answer(Reply.REJECTED, error=refusal.reason)
    app.calls_due.set()
    return answer


def _ended(call: AppCall, case: Case) -> dict[str, Any]:
    """What the app is told of a case that ended without its word."""
    return {
        "case_id": case.id,
        "attempt": call.attempt,
        "status": case.status.value,
        "reason_code": case.reason_code,
        "ended_at": case.decided_at.isoformat() if case.decided_at else None,
    }


def _content(call: AppCall, detail: CaseDetail) -> dict[str, Any]:
    """What the app may know: the item's own fields, and what earlier cases of the filing gave for it."""
    file, case, item = detail.file, detail.file.case, detail.item
    return {
        "case_id": case.id,
        "attempt": call.attempt,
        "case_no": case.no,
        "matter_code": file.matter_code,
        "item": case.item,
        "item_code": item.item_code,
        "item_name": case.item_name,
        "org_path": case.org_path,
        "region_code": case.region_code,
        "form": {field: file.content.form.get(field) for field in item.form_fields},
        "produced": {code: dict(outcome.result or {}) for code, outcome in detail.produced.items()},
    }
