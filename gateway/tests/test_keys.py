"""Keycloak's signing keys change under way; strangers name keys that nobody has."""

import asyncio
import base64
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import demo.settings
import httpx
from demo.browser import Browser, LogInFailed

from .administration import administrator
from .surroundings import Cable, World, around, person, until
from .test_sessions import TOKEN_REQUEST, aged


def part(of: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(of).encode()).rstrip(b"=").decode()


def forged(issuer: str, kid: str) -> str:
    claims = {"iss": issuer, "sub": "x", "aud": "accounts", "azp": "gateway", "typ": "Bearer", "exp": 4102444800}
    return f"{part({'alg': 'RS256', 'typ': 'JWT', 'kid': kid})}.{part(claims)}.{'A' * 342}"


def kid_of(token: str) -> str:
    return json.loads(base64.urlsafe_b64decode(token.split(".", maxsplit=1)[0] + "=="))["kid"]


async def fresh_service_token() -> str:
    known = demo.settings.Settings()  # type: ignore[call-arg]
    form = {"grant_type": "client_credentials", "client_id": "demo-loader", "client_secret": known.client_secret}
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(f"{known.keycloak_url}/realms/gov/protocol/openid-connect/token", data=form)
        return answer.json()["access_token"]


async def status_with(world: World, token: str) -> int:
    async with world.http(authorization=f"Bearer {token}") as app:
        return (await app.get("/api/accounts/v1/me")).status_code


async def test_when_the_realm_changes_its_key_old_tokens_live_and_new_ones_are_known(world: World):
    used, kept = await fresh_service_token(), await fresh_service_token()
    assert await status_with(world, used) == 200
    async with administrator("gov") as admin, admin.key(priority=1000) as kid:
        new = await fresh_service_token()
        assert kid_of(new) == kid != kid_of(used)

        async def known() -> bool:
            return await status_with(world, new) == 200

        # the keys are asked for again only every few seconds, whoever knocks
        await until(known, within=15)
        assert await status_with(world, used) == 200
        assert await status_with(world, kept) == 200


async def test_people_log_in_and_stay_in_while_the_realm_changes_its_key(world: World, inside: Browser):
    async with administrator("citizen") as admin, admin.key(priority=1000) as kid, world.browser() as newcomer:

        async def logs_in() -> bool:
            try:
                await newcomer.log_in(person("wangfang"))
            except LogInFailed:
                newcomer.cookies.clear()
                return False
            return True

        await until(logs_in, within=15)
        said = await newcomer.get("orchestration/v1/me")
        assert kid_of(dict(said["headers"])["Authorization"].removeprefix("Bearer ")) == kid
        old = await aged(world, inside, left=30)
        said = await inside.get("orchestration/v1/me")
        token = dict(said["headers"])["Authorization"].removeprefix("Bearer ")
        assert (kid_of(token), kid_of(old.tokens.access) == kid) == (kid, False)


async def test_a_flood_of_unknown_keys_asks_keycloak_hardly_ever(world: World, service_token: str):
    known = urlsplit(world.settings.keycloak_url)
    cable = Cable((known.hostname or "", known.port or 0))
    await cable.mend()
    issuer = f"http://127.0.0.1:{cable.port}/realms/gov"
    async with around(http_port=0, keycloak_url=f"http://127.0.0.1:{cable.port}") as flooded:
        began = time.monotonic()
        for _ in range(4):
            statuses = await asyncio.gather(
                *(status_with(flooded, forged(issuer, f"nobody-{number}")) for number in range(50))
            )
            assert set(statuses) == {401}
        asked = cable.sent.count(b"GET /realms/gov/protocol/openid-connect/certs")
        assert 1 <= asked <= 1 + (time.monotonic() - began) / 10
    await cable.cut()
    # and who has a good token is not held up by them
    issuer = f"{world.settings.keycloak_url}/realms/gov"
    flood = [status_with(world, forged(issuer, f"nobody-{number}")) for number in range(60)]
    good = [status_with(world, service_token) for _ in range(20)]
    statuses = await asyncio.gather(*flood, *good)
    assert statuses == [401] * 60 + [200] * 20


async def test_two_gateways_renew_a_session_once(world: World, inside: Browser):
    async with around(http_port=0) as other, other.browser(with_cookies_of=inside) as there:
        for left in (30, -10):
            await aged(world, inside, left=left)
            before = world.keycloak.sent.count(TOKEN_REQUEST) + other.keycloak.sent.count(TOKEN_REQUEST)
            answers = await asyncio.gather(
                *(browser.call("GET", "accounts/v1/me") for _ in range(15) for browser in (inside, there))
            )
            assert {each.status_code for each in answers} == {200}
            after = world.keycloak.sent.count(TOKEN_REQUEST) + other.keycloak.sent.count(TOKEN_REQUEST)
            assert after - before == 1


async def test_a_log_out_at_one_gateway_counts_at_all(inside: Browser):
    async with around(http_port=0) as other, other.browser(with_cookies_of=inside) as there:
        was = inside.cookies.get("__Host-citizen") or ""
        assert (await there.call("GET", "accounts/v1/me")).status_code == 200
        await inside.log_out()
        there.cookies.put("localhost", "__Host-citizen", was)
        assert (await there.call("GET", "accounts/v1/me")).status_code == 401
