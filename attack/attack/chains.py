"""Call after call on what the calls before have brought: made, read, changed, decided.

schemathesis finds in the document which answers name what other calls need, and draws the chains.
"""

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import hypothesis
import schemathesis
from hypothesis import HealthCheck, Phase
from hypothesis.errors import Flaky
from schemathesis.core.transport import Response
from schemathesis.generation.stateful.state_machine import APIStateMachine, StepInput, StepOutput

from attack import cases
from attack.cases import Case
from attack.fuzz import Fuzz
from attack.roles import Role

if TYPE_CHECKING:
    import httpx

STEPS = 12
KINDS = {"citizen": "citizen", "workbench": "officer"}
WITHIN = 60.0
# whoever they judge or merge may be one of those who knock, and a stream goes on for long
LEFT_OUT = (*cases.SPARED, "/workbench/v1/stream")


async def follow(fuzz: Fuzz, role: Role, document: dict[str, Any], *, calls: int, seed: int) -> None:
    """As one role: chain after chain, until so many calls were asked."""
    machine, until = _machine(fuzz, role, document, asyncio.get_running_loop()), fuzz.tally.asked + calls
    while fuzz.tally.asked < until:
        settings = hypothesis.settings(
            max_examples=max(2, (until - fuzz.tally.asked) // STEPS),
            stateful_step_count=STEPS,
            phases=[Phase.generate],
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        # the house remembers: the same call has another answer later on, and the drawing begins anew
        with contextlib.suppress(Flaky):
            await asyncio.to_thread(hypothesis.seed(seed)(machine).run, settings=settings)
        seed += 1


def _machine(
    fuzz: Fuzz, role: Role, document: dict[str, Any], loop: asyncio.AbstractEventLoop
) -> type[APIStateMachine]:
    kind = KINDS[role.browser.face]
    # a chain of refusals at the threshold shows nothing: the cases one by one ask there as well
    schema = schemathesis.openapi.from_dict(document).include(
        lambda context: kind in context.operation.definition.raw.get("x-permission", {"callers": ()})["callers"]
    )
    for path in LEFT_OUT:
        schema = schema.exclude(path_regex=f"^/api{path}".replace("{", r"\{").replace("}", r"\}"))
    found: Any = schema.as_state_machine()

    class Machine(found):  # type: ignore[misc]
        """Knocks as the role does, with its session, and leaves all judgement to the fuzz."""

        def step(self, drawn: StepInput) -> StepOutput:
            """Lead a call to things that are there, when none before it has brought what it needs."""
            if not drawn.is_applied:
                cases.led(drawn.case, fuzz.known)
            told: StepOutput = super().step(drawn)
            return told

        def call(self, case: Case, **_more: Any) -> Response:
            asked = asyncio.run_coroutine_threadsafe(fuzz.ask_one(role, case), loop)
            answer: httpx.Response | None = asked.result(WITHIN)
            if answer is None:
                hypothesis.reject()
            return Response.from_any(answer)

        def validate_response(self, *_told: Any, **_more: Any) -> None:
            """The fuzz has looked at it."""

    return Machine
