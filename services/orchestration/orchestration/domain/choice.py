"""Which items of a matter apply to a filing, and why."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from orchestration.domain.conditions import holds
from orchestration.domain.definition import Definition, Needs


class Reason(StrEnum):
    """Why an item applies or not, or how a material stands; the sentences are in the locale."""

    ALWAYS = "ITEM_ALWAYS_APPLIES"
    CONDITION_MET = "ITEM_CONDITION_MET"
    CONDITION_NOT_MET = "ITEM_CONDITION_NOT_MET"
    DEPENDENCY_LEFT_OUT = "ITEM_DEPENDENCY_LEFT_OUT"


@dataclass(frozen=True, slots=True)
class Chosen:
    """Whether one item applies, with the rule and the facts used."""

    applies: bool
    reason: Reason
    data: Mapping[str, Any] = field(default_factory=dict)


def choose_items(definition: Definition, answers: Mapping[str, str], form: Mapping[str, Any]) -> dict[str, Chosen]:
    """Decide for every item whether it applies, dependencies first."""
    return choose(definition, lambda expression: holds(expression, answers, form))


def choose(definition: Definition, is_met: Callable[[str], bool]) -> dict[str, Chosen]:
    """The same with a given way to judge conditions.

    An item left out counts as done for those that only wait for its end, and takes along those that need its approval.
    """
    chosen: dict[str, Chosen] = {}
    for code in definition.order:
        item = definition.item[code]
        lost = [
            dependency.item
            for dependency in item.depends_on
            if dependency.needs is Needs.APPROVAL and not chosen[dependency.item].applies
        ]
        if item.when is not None and not is_met(item.when):
            chosen[code] = Chosen(applies=False, reason=Reason.CONDITION_NOT_MET, data={"condition": item.when})
        elif lost:
            chosen[code] = Chosen(
                applies=False,
                reason=Reason.DEPENDENCY_LEFT_OUT,
                data={"item": lost[0], "item_name": definition.item[lost[0]].name},
            )
        elif item.when is not None:
            chosen[code] = Chosen(applies=True, reason=Reason.CONDITION_MET, data={"condition": item.when})
        else:
            chosen[code] = Chosen(applies=True, reason=Reason.ALWAYS)
    return chosen
