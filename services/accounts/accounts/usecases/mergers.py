"""The verbs about duplicate persons: one officer asks for a merger, a second decides; both persons read each entry."""

from uuid import UUID

from common.paging import Page

from accounts import events
from accounts.domain import account as accounts
from accounts.domain import merger as mergers
from accounts.domain import person as persons
from accounts.domain.account import AccountKind
from accounts.domain.guardianship import PersonUnknown
from accounts.domain.merger import Merger, MergerAlreadyRequested, MergerOfWard, MergerState, PersonAlreadyMerged
from accounts.store import Tx
from accounts.usecases import states


async def request_merger(tx: Tx, *, surviving_id: UUID, merged_id: UUID, grounds: str) -> Merger:
    """Ask that two records become one (申请合并), and say why they are one person."""
    merger = mergers.request(
        tx.unit.ids(),
        surviving_id=surviving_id,
        merged_id=merged_id,
        grounds=grounds,
        officer=UUID(tx.unit.actor.id),
        at=tx.unit.at,
    )
    await tx.mergers.hold(merger)
    await _check(tx, merger)
    if await tx.mergers.is_requested(merger):
        raise MergerAlreadyRequested
    tx.mergers.add(merger)
    _journal(tx, "accounts.request_merger", merger)
    return merger


async def confirm_merger(tx: Tx, merger_id: UUID) -> Merger:
    """Make two records one (合并): the merged id names the surviving person from now on, and its account is closed."""
    confirmed = await _decided(tx, merger_id, MergerState.CONFIRMED)
    await _check(tx, confirmed)
    await tx.mergers.move(confirmed)
    merged = await tx.accounts.lock(confirmed.merged_id, AccountKind.PERSON)
    await states.keep(tx, accounts.close(merged, confirmed.grounds, at=tx.unit.at))
    _journal(tx, "accounts.confirm_merger", confirmed)
    tx.unit.emit(events.persons_merged(confirmed, at=tx.unit.at))
    return confirmed


async def decline_merger(tx: Tx, merger_id: UUID) -> Merger:
    """Leave two records as they are (不予合并)."""
    declined = await _decided(tx, merger_id, MergerState.DECLINED)
    _journal(tx, "accounts.decline_merger", declined)
    return declined


async def read_merger(tx: Tx, merger_id: UUID) -> Merger:
    """Read a request with its grounds, for a purpose."""
    purpose = persons.check_purpose(tx.unit.actor.call.purpose)
    merger = await tx.mergers.get(merger_id)
    _journal(tx, "accounts.read_merger", merger, purpose=purpose)
    return merger


async def list_mergers(tx: Tx, *, state: MergerState | None, cursor: str | None, size: int) -> Page[Merger]:
    """List mergers, as ids and states; why is read one by one."""
    return await tx.mergers.page(state=state, cursor=cursor, size=size)


async def _decided(tx: Tx, merger_id: UUID, state: MergerState) -> Merger:
    await tx.mergers.hold(await tx.mergers.get(merger_id))
    merger = mergers.decide(await tx.mergers.get(merger_id), state, officer=UUID(tx.unit.actor.id), at=tx.unit.at)
    tx.mergers.decide(merger)
    return merger


async def _check(tx: Tx, merger: Merger) -> None:
    """Refuse what was one already, is judged otherwise, or cannot be one person."""
    named = (merger.surviving_id, merger.merged_id)
    survivors = await tx.persons.survivors(named)
    if len(survivors) != len(named):
        raise PersonUnknown
    if any(survivors[person_id] != person_id for person_id in named):
        raise PersonAlreadyMerged
    mergers.check_active(*[await tx.accounts.lock(person_id, AccountKind.PERSON) for person_id in sorted(named)])
    if await tx.mergers.is_ward(merger):
        raise MergerOfWard


def _journal(tx: Tx, act: str, merger: Merger, *, purpose: str | None = None) -> None:
    for person_id in (merger.surviving_id, merger.merged_id):
        tx.unit.record(
            act,
            subject=("merger", str(merger.merger_id)),
            owner=str(person_id),
            purpose=purpose,
            details={"surviving_id": str(merger.surviving_id), "merged_id": str(merger.merged_id)},
        )
