"""A renewal whose answer is lost on the way, and what a refresh token is still good for after it has served."""

import asyncio

import pytest
from demo.browser import Browser
from gateway.domain import FACES
from gateway.tokens import GrantGone

from .surroundings import World, until
from .test_sessions import TOKEN_REQUEST, aged, session_id

CITIZEN = FACES["citizen"]
ME = "accounts/v1/me"


async def test_a_renewal_whose_answer_was_lost_is_done_again(world: World, inside: Browser):
    await aged(world, inside, left=-10)
    world.keycloak.loses = TOKEN_REQUEST
    before = world.keycloak.sent.count(TOKEN_REQUEST)
    try:
        answer = await inside.call("GET", ME)
    finally:
        world.keycloak.loses = b""
    assert (answer.status_code, answer.json()["reason"]) == (503, "KEYCLOAK_AWAY")
    # Keycloak has carried it out
    assert world.keycloak.sent.count(TOKEN_REQUEST) == before + 1
    statuses = []

    async def back() -> bool:
        statuses.append((await inside.call("GET", ME)).status_code)
        return statuses[-1] == 200

    await until(back)
    assert set(statuses[:-1]) <= {503}


async def test_a_refresh_token_serves_once_and_once_more_if_its_answer_was_lost(world: World, inside: Browser):
    keycloak = world.app.keycloak
    first = (await world.app.sessions.read(CITIZEN, session_id(inside))).tokens.refresh
    lost = await keycloak.renew("citizen", first)
    again = await keycloak.renew("citizen", first)
    with pytest.raises(GrantGone):
        await keycloak.renew("citizen", first)
    assert lost.refresh != again.refresh


@pytest.mark.parametrize("thief_first", [True, False])
async def test_a_stolen_refresh_token_and_its_owner_s_do_not_both_live_on(
    world: World, inside: Browser, *, thief_first: bool
):
    """Who took a token, and the gateway's key with it, is shown out no later than at the owner's second renewal."""
    keycloak = world.app.keycloak
    first = (await world.app.sessions.read(CITIZEN, session_id(inside))).tokens.refresh
    lines = [(await keycloak.renew("citizen", first)).refresh, (await keycloak.renew("citizen", first)).refresh]
    if thief_first:
        lines.reverse()
    alive = [True, True]

    async def renewed(line: int) -> None:
        # Keycloak tells older from newer by the second
        await asyncio.sleep(1.1)
        try:
            lines[line] = (await keycloak.renew("citizen", lines[line])).refresh
        except GrantGone:
            alive[line] = False

    for _ in range(2):
        for line in range(2):
            if alive[line]:
                await renewed(line)
    assert alive.count(True) <= 1
