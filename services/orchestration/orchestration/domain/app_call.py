"""Calls to departments' own systems (应用): a case is handed to one, and what comes of it.

A case is given to an app in attempts: the effect is told apart by the case, so that the app does it once; an answer
names its attempt, so that one to an earlier attempt does not count. Within an attempt a call is tried again: after an
ambiguous end the app is asked first whether it knows the case. An app that holds a case which ends without its word is
told so, once no call that gives it the case is under way any more.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any

from orchestration.domain.call import CallState, after_failure
from orchestration.domain.case import WITH_DEPARTMENT, Status
from orchestration.domain.definition import canonical
from orchestration.domain.filing import Fact, Filing, Happened, Step, settled
from orchestration.domain.refusals import NotOfAnApp

PATIENCE = timedelta(minutes=2)  # until an app that took a case is asked how far it is
RESTED = timedelta(seconds=15)  # until an app that keeps failing is tried again at all


class Phase(StrEnum):
    """What is done next."""

    GIVE = "give"
    ASK = "ask"
    AWAIT = "await"
    TELL = "tell"  # that the case ended without its word


class Reply(StrEnum):
    """How a call ended."""

    TAKEN = "taken"  # the app has the case and will tell
    DECIDED = "decided"  # the app tells what it decided
    UNKNOWN = "unknown"  # the app does not know the case
    UNSURE = "unsure"  # nobody knows whether the case arrived
    UNREACHED = "unreached"  # nothing arrived
    RESTING = "resting"  # nothing was sent: the app fails so often that it is left alone for a while
    REJECTED = "rejected"  # the app does not understand us, and will not


class Verdict(StrEnum):
    """What an app says of a case."""

    ACCEPT = "accept"
    APPROVE = "approve"
    REFUSE = "refuse"


# How a case ends that an app can have no word in.
ENDED_OTHERWISE = frozenset({Happened.CASE_WITHDRAWN, Happened.CASE_TERMINATED, Happened.CASE_DECLINED})


@dataclass(frozen=True, slots=True)
class Told:
    """An app's word on a case."""

    case_id: str
    attempt: int
    outcome: Verdict
    result: Mapping[str, Any] = field(default_factory=dict)
    reason_code: str | None = None
    explanation: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """What we answer to an app's word: whether it counted, if not why, and how the case stands."""

    case_id: str
    attempt: int
    applied: bool
    reason: str | None
    status: Status


@dataclass(frozen=True, slots=True)
class Answer:
    """How a call ended, with the decision if it brought one."""

    reply: Reply
    told: Told | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class AppCall:
    """A call that was taken to be made; `tries` counts this one and fences off a slower taker."""

    id: str
    case_id: str
    filing_id: str
    app: str
    phase: Phase
    attempt: int
    tries: int
    state: CallState


@dataclass(frozen=True, slots=True)
class Next:
    """How a call goes on."""

    state: CallState
    phase: Phase
    tries: int
    at: datetime


def after(call: AppCall, reply: Reply, *, at: datetime, chance: float) -> Next:
    """Tell how a call goes on after it ended so."""
    if call.phase is Phase.TELL and reply in {Reply.TAKEN, Reply.UNKNOWN}:
        reply = Reply.DECIDED  # heard, or nothing to hear: no more is to be done
    match reply:
        case Reply.TAKEN:
            return Next(CallState.PENDING, Phase.AWAIT, 0, at + PATIENCE)
        case Reply.DECIDED:
            return Next(CallState.DONE, call.phase, call.tries, at)
        case Reply.UNKNOWN:
            return Next(CallState.PENDING, Phase.GIVE, call.tries, at)
        case Reply.RESTING:
            return Next(CallState.PENDING, call.phase, call.tries - 1, at + RESTED * (0.5 + chance))
        case Reply.REJECTED:
            return Next(CallState.INCIDENT, call.phase, call.tries, at)
        case Reply.UNSURE | Reply.UNREACHED:
            state, next_try_at = after_failure(call.tries, at=at, chance=chance)
            unsure = reply is Reply.UNSURE and call.phase is Phase.GIVE
            return Next(state, Phase.ASK if unsure else call.phase, call.tries, next_try_at)


def ignored(call: AppCall, told: Told, *, app: str | None, status: Status) -> str | None:
    """Why a word does not count, if it does not: of an earlier attempt, or of a case that is not the app's any more."""
    if told.attempt != call.attempt:
        return "ATTEMPT_OUTDATED"
    if status not in WITH_DEPARTMENT:
        return "CASE_ENDED"
    if app is None:
        return "CASE_HANDED_OVER"
    return None


def digest_of(told: Told) -> bytes:
    """The same word has the same digest."""
    return sha256(canonical(asdict(told)).encode()).digest()


def hand_over(filing: Filing, case_id: str, *, at: datetime) -> Step:
    """Give a case of an app to the department's officers (转人工); its clocks run on."""
    case = filing.case(case_id)
    if case.app is None or case.status not in WITH_DEPARTMENT:
        raise NotOfAnApp(case_id=case_id)
    theirs = replace(case, app=None, version=case.version + 1)
    facts = [Fact(Happened.CASE_READY, theirs)]
    if theirs.status is Status.ACCEPTED:
        theirs = replace(theirs, version=theirs.version + 1)
        facts.append(Fact(Happened.CASE_ACCEPTED, theirs))
    return settled(filing, {theirs.item: theirs}, facts, at)
