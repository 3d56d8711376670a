"""A due date told in a sentence: words from the locale file, everything else from the count itself."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from importlib.resources import files

from worktime.counting import Due, Step, StepKind

_WORDS: Mapping[str, str] = json.loads(files("worktime").joinpath("locale/zh_CN.json").read_text("utf-8"))
_TOLD = (StepKind.HOLIDAY, StepKind.MAKE_UP, StepKind.STOPPED)


def sentence(due: Due, reasons: Mapping[str, str] | None = None) -> str:
    """The due date and what moved it, in Chinese; `reasons` puts the reasons of stops into words."""
    first = _WORDS["count_minutes"] if due.unit == "working_minutes" else _WORDS["count"]
    start = _moment(due.start) if due.unit == "working_minutes" else _day(due.start.date())
    told = [_step(step, reasons or {}) for step in due.steps if step.kind in _TOLD]
    parts = _WORDS["list"].format(parts=_WORDS["separator"].join(told)) if told else ""
    return (
        first.format(start=start, limit=due.limit, at=_moment(due.at))
        + parts
        + ("" if due.certain else _WORDS["uncertain"])
    )


def _step(step: Step, reasons: Mapping[str, str]) -> str:
    span = _day(step.first)
    if step.last > step.first:
        span = _WORDS["span"].format(first=span, last=_day(step.last))
    return _WORDS[step.kind].format(span=span, name=reasons.get(step.name or "", step.name))


def _day(day: date) -> str:
    return _WORDS["day"].format(year=day.year, month=day.month, day=day.day)


def _moment(at: datetime) -> str:
    return _WORDS["moment"].format(year=at.year, month=at.month, day=at.day, time=at.strftime("%H:%M"))
