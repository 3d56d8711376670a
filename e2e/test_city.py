"""The people of the city beside the newborn's story: a guardian, a company with its agent, an officer on leave."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from demo.browser import CallRefused
from demo.people import Cast, Sessions
from demo.settings import Settings

from demo import arrangements, city
from e2e.waiting import eventually


@pytest.fixture(scope="module")
async def sessions(settings: Settings) -> AsyncIterator[Sessions]:
    """Everybody logs in once: one-time codes are given out every half minute."""
    async with Sessions(settings) as opened:
        yield opened


@pytest.fixture(scope="module")
async def arranged(people: Cast, sessions: Sessions, settings: Settings) -> None:
    """What people arrange themselves; twice, as the second time changes nothing."""
    for _ in range(2):
        await arrangements.arrange(settings, sessions, at=datetime.now(UTC))


def only[T](items: list[T]) -> T:
    (item,) = items
    return item


async def test_a_guardian_is_shown_the_child_she_acts_for(people: Cast) -> None:
    ward = only((await people.mother.get("accounts/v1/me"))["wards"])
    assert ward["person"]["person_id"] == city.resident("张乐")["person_id"]
    assert ward["person"]["name"] == "张*"


async def test_a_company_is_represented_by_one_and_has_one_agent(arranged: None, sessions: Sessions) -> None:
    company = next(each for each in city.legal_persons() if each["agents"])
    for name, is_representative in (("zhangwei", True), ("wangfang", False)):
        person = await sessions.of(name)
        represented = only((await person.get("accounts/v1/me/legal-persons"))["items"])
        assert represented["legal_person"]["legal_person_id"] == company["legal_person_id"]
        assert represented["as_representative"] is is_representative
        assert city.citizen("wangfang")["person_id"] in {each["agent_id"] for each in represented["agencies"]}


async def test_an_officer_on_leave_takes_no_todo_and_a_colleague_acts_in_the_post(
    arranged: None, sessions: Sessions
) -> None:
    away = city.employee("police3")
    officer, colleague = await sessions.of("police3"), await sessions.of("police2")
    assert (await officer.get("workbench/v1/absence"))["returns_on"] is not None

    async def lent() -> dict[str, Any] | None:
        posts = (await colleague.get("accounts/v1/me"))["posts"]
        return next((post for post in posts if post["acts_for_post_id"] == away["post_id"]), None)

    post = await eventually(lent)
    await colleague.get("workbench/v1/todos", post_id=post["post_id"])
    with pytest.raises(CallRefused) as refused:
        await colleague.get("workbench/v1/todos", post_id=away["post_id"])
    assert refused.value.status == 403
