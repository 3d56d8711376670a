"""What a stranger's page can make a citizen's browser do: nothing."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from demo.browser import Browser
from gateway.domain import FACES
from gateway.sessions import digest

from .surroundings import World, person

CITIZEN = FACES["citizen"]
EVIL = "https://evil.example"
FORMS = ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"]
# what a browser says of a form or a picture on another site
CROSS_SITE = {"Origin": EVIL, "Sec-Fetch-Site": "cross-site"}


@pytest.mark.parametrize("kind", FORMS)
@pytest.mark.parametrize("origin", [EVIL, "null", None])
@pytest.mark.parametrize("path", ["api/accounts/v1/things", "auth/logout", "auth/sessions:end-others"])
async def test_a_form_on_another_site_changes_nothing(
    world: World, logged_in: Browser, kind: str, origin: str | None, path: str
):
    before = len(world.services["accounts"].got)
    headers = {"Content-Type": kind, "Sec-Fetch-Site": "cross-site", **({"Origin": origin} if origin else {})}
    answer = await logged_in.http.post(f"{world.url}/citizen/{path}", content=b'{"a": "=b"}', headers=headers)
    assert (answer.status_code, answer.json()["reason"]) == (403, "CSRF_HEADER_MISSING")
    assert len(world.services["accounts"].got) == before
    assert (await logged_in.session())["face"] == "citizen"


@pytest.mark.parametrize("path", ["/citizen/api/accounts/v1/things", "/citizen/auth/logout", "/api/accounts/v1/things"])
async def test_a_fetch_from_another_site_is_not_even_asked_for(world: World, logged_in: Browser, path: str):
    asked = {
        **CROSS_SITE, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-tongban-csrf",
    }  # fmt: skip
    for answer in (
        await logged_in.http.request("OPTIONS", f"{world.url}{path}", headers=asked),
        await logged_in.http.get(f"{world.url}/citizen/auth/session", headers=CROSS_SITE),
    ):
        # without these the browser sends no such call, and shows no page its answer
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
    assert (await logged_in.http.request("OPTIONS", f"{world.url}{path}", headers=asked)).status_code == 405


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
async def test_a_link_does_not_log_out(world: World, logged_in: Browser, method: str):
    for path in ("logout", "sessions:end-others"):
        answer = await logged_in.http.request(method, f"{world.url}/citizen/auth/{path}", headers=logged_in._proof())
        assert answer.status_code == 405
    assert (await logged_in.session())["face"] == "citizen"


async def test_an_id_that_somebody_planted_is_never_the_session_s(world: World):
    planted = "p" * 43
    async with world.browser() as victim, world.http(cookie=f"__Host-citizen={planted}") as attacker:
        victim.cookies.put("localhost", "__Host-citizen", planted)
        await victim.log_in(person("wangfang"))
        assert victim.cookies.get("__Host-citizen") not in (None, planted)
        assert (await attacker.get("/citizen/auth/session")).status_code == 401


async def way_to_keycloak(browser: Browser) -> httpx.URL:
    answer = await browser.http.get(f"{browser.public_url}/citizen/auth/login")
    return httpx.URL(answer.headers["Location"])


@pytest.mark.parametrize("changed", ["nonce", "code_challenge"])
async def test_a_code_that_was_asked_for_in_another_log_in_is_refused(world: World, changed: str):
    """Somebody has slipped in a code of his own: Keycloak's answer is not to what we asked."""
    async with world.browser() as browser:
        await browser.log_in(person("wangfang"))
        before = browser.cookies.get("__Host-citizen")
        way = await way_to_keycloak(browser)
        other = await way_to_keycloak(browser)
        # Keycloak knows the person, and answers at once
        page = await browser.visit(str(way.copy_set_param(changed, other.params[changed])))
        assert (page.status_code, "LOG_IN_REFUSED" in page.text) == (403, True)
        assert browser.cookies.get("__Host-citizen") == before
        # as it was sent, it is taken
        assert (await browser.visit(str(other))).status_code == 200


async def test_a_session_s_id_is_bound_to_what_is_kept_under_it(world: World, logged_in: Browser):
    """Whoever can write to Redis cannot make one person's session another's."""
    sessions = world.app.sessions
    session_id = logged_in.cookies.get("__Host-citizen") or ""
    session = await sessions.read(CITIZEN, session_id)
    other = await sessions.begin(replace(session, person_id="another"), world.app.journal.log_in("127.0.0.1"))
    kept = await sessions._redis.get(f"session:{digest(other)}")
    before = await sessions._redis.get(f"session:{digest(session_id)}")
    await sessions._redis.set(f"session:{digest(session_id)}", kept)
    assert (await logged_in.call("GET", "accounts/v1/me")).status_code == 401
    await sessions._redis.set(f"session:{digest(session_id)}", before)
    assert (await logged_in.call("GET", "accounts/v1/me")).status_code == 200


async def test_the_way_back_from_a_log_out_is_our_own(world: World, logged_in: Browser):
    way = world.app.keycloak.log_out_url(CITIZEN)
    asked = parse_qs(urlsplit(way).query)
    assert asked["post_logout_redirect_uri"] == [f"{world.url}/citizen/"]
    elsewhere = str(httpx.URL(way).copy_set_param("post_logout_redirect_uri", f"{EVIL}/"))
    page = await logged_in.http.get(elsewhere)
    assert page.status_code == 400
    assert EVIL not in page.headers.get("Location", "")


@pytest.fixture(scope="module")
async def logged_in(world: World):
    async with world.browser() as browser:
        await browser.log_in(person("zhangwei"))
        yield browser


async def test_another_site_s_link_reads_nothing(logged_in: Browser):
    """Some reads do something: a decision that its person opens is delivered."""
    path = f"{logged_in.public_url}/citizen/api/accounts/v1/me"
    for site, status in (("cross-site", 403), ("same-site", 200), ("same-origin", 200), ("none", 200)):
        answer = await logged_in.http.get(path, headers={"Sec-Fetch-Site": site})
        assert answer.status_code == status
