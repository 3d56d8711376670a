"""Logging in and out by the code flow, as people do."""

import html
import re
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from demo.browser import Browser, Cookies

from .administration import administrator
from .surroundings import World, person, until


def cookie_of(answer: httpx.Response, name: str) -> str:
    return next(line for line in answer.headers.get_list("Set-Cookie") if line.startswith(f"{name}="))


async def begun(browser: Browser, **params: str) -> httpx.Response:
    return await browser.http.get(f"{browser.public_url}/{browser.face}/auth/login", params=params)


async def test_a_citizen_logs_in_and_comes_back_to_the_page_asked_for(world: World):
    async with world.browser() as browser:
        page = await browser.log_in(person("lijing"), return_to="/citizen/filings/7?tab=plan")
        assert str(page.url) == f"{world.url}/citizen/filings/7?tab=plan"
        session = await browser.session()
        assert session["face"] == "citizen"
        assert session["person_id"] == "00000000-0000-7000-8000-000000000201"
        assert session["acr"] == 1
        assert set(session) == {"face", "person_id", "acr", "began_at", "ends_at", "proven_at"}


async def test_an_officer_needs_the_second_factor(world: World):
    async with world.browser("workbench") as browser:
        await browser.log_in(person("police"))
        session = await browser.session()
        assert session["acr"] == 2
        assert session["person_id"] == "00000000-0000-7000-8000-000000000304"


async def test_the_session_cookie_is_opaque_and_locked_up(world: World):
    async with world.browser() as browser:
        seen: list[httpx.Response] = []

        async def look(response: httpx.Response) -> None:
            seen.append(response)

        browser.http.event_hooks["response"].append(look)
        await browser.log_in(person("lijing"))
        await browser.session()
    callback = next(each for each in seen if each.url.path == "/citizen/auth/callback")
    line = cookie_of(callback, "__Host-citizen")
    assert re.fullmatch(r"__Host-citizen=[A-Za-z0-9_-]{43}; Path=/; Secure; HttpOnly; SameSite=Lax", line)
    login = next(each for each in seen if each.url.path == "/citizen/auth/login")
    assert "; Secure; HttpOnly; SameSite=Lax; Max-Age=600" in cookie_of(login, "__Host-citizen-login")
    ours = [each for each in seen if str(each.url).startswith(world.url)]
    for answer in ours:
        assert "eyJ" not in answer.text
        assert not any("eyJ" in value for value in answer.headers.values())
        assert answer.headers["Cache-Control"] == "no-store"


async def test_the_way_to_keycloak_carries_state_nonce_and_challenge(world: World):
    async with world.browser("workbench") as browser:
        answer = await begun(browser)
        assert answer.status_code == 302
        asked = parse_qs(urlsplit(answer.headers["Location"]).query)
        assert asked["code_challenge_method"] == ["S256"]
        assert asked["acr_values"] == ["2"]
        assert asked["redirect_uri"] == [f"{world.url}/workbench/auth/callback"]
        assert all(len(asked[name][0]) == 43 for name in ("state", "nonce", "code_challenge"))


@pytest.mark.parametrize("languages", ["", "zh-CN,zh;q=0.9", "en-US,en;q=0.9", "fr"])
async def test_the_log_in_pages_speak_chinese_and_fit_a_phone(world: World, languages: str):
    async with world.browser("workbench") as browser:
        browser.http.headers["Accept-Language"] = languages
        page = await browser.visit((await begun(browser)).headers["Location"])
        assert_ours(page.text, "账号登录", "用户名", "密码", "登录", 'autocomplete="current-password"')
        wrong = await browser.visit(form_of(page), method="post", data={"username": "nobody-here", "password": "x"})
        assert_ours(wrong.text, "用户名或密码不正确")
        officer = person("police")
        credentials = {"username": officer.username, "password": officer.password}
        code = await browser.visit(form_of(wrong), method="post", data=credentials)
        assert_ours(code.text, "动态口令", 'inputmode="numeric"')


async def test_whoever_chooses_english_has_it_for_this_log_in(world: World):
    async with world.browser() as browser:
        page = await browser.visit((await begun(browser)).headers["Location"])
        english = re.search(r'(?:href|value)="([^"]*kc_locale=en[^"]*)"', page.text)
        assert english is not None
        chosen = await browser.visit(httpx.URL(str(page.url)).join(html.unescape(english[1])).__str__())
        assert "Password" in chosen.text
        wrong = {"username": "nobody-here", "password": "x"}
        assert "Password" in (await browser.visit(form_of(chosen), method="post", data=wrong)).text


async def test_nobody_learns_that_an_account_is_locked(world: World):
    """A locked account is refused in the words for a wrong password, even with the right one."""
    locked = person("maqiang")
    async with administrator("citizen") as admin, world.browser() as browser:
        try:
            page = await browser.visit((await begun(browser)).headers["Location"])
            for password in ["x"] * 6 + [locked.password]:
                sent = {"username": locked.username, "password": password}
                page = await browser.visit(form_of(page), method="post", data=sent)
                assert_ours(page.text, "用户名或密码不正确", 'autocomplete="current-password"')
            assert await admin.is_locked(locked.username)
        finally:
            await admin.unlock(locked.username)
        await browser.log_in(locked)


def assert_ours(page: str, *words: str) -> None:
    """A page in simplified Chinese that a phone shows in its own width; no word of another language between."""
    assert re.search(r'<html[^>]+lang="zh-Hans"', page)
    assert re.search(r'<meta name="viewport" content="[^"]*width=device-width', page)
    for word in words:
        assert word in page
    for foreign in ("Username", "Password", "Sign In", "One-time"):
        assert foreign not in page


def form_of(page: httpx.Response) -> str:
    found = re.search(r'<form[^>]+action="([^"]+)"', page.text)
    assert found is not None
    return html.unescape(found[1])


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "/citizen/../workbench/",
        "/citizen//evil.example",
        "/citizen/%2e%2e/x",
        "/citizen/auth/login",
        "/workbench/",
        "/citizenship/",
        "javascript:alert(1)",
        "/citizen/\r\nX: 1",
        "/citizen/ x",
        "/citizen/页",
        "/citizen/" + "x" * 5000,
    ],
)
async def test_one_comes_back_only_to_pages_of_the_same_face(world: World, elsewhere: str):
    async with world.browser() as browser:
        page = await browser.log_in(person("lijing"), return_to=elsewhere)
        assert str(page.url) == f"{world.url}/citizen/"


async def test_several_tabs_log_in_at_once(world: World):
    async with world.browser() as browser:
        first = await begun(browser)
        second = await begun(browser)
        third = await begun(browser)
        assert len({each.headers["Location"] for each in (first, second, third)}) == 3
        page = await browser.log_in(person("lijing"))
        assert page.status_code == 200
        # Keycloak knows the person now: the other tabs come back with a code at once
        for tab in (first, second, third):
            page = await browser.visit(tab.headers["Location"])
            assert (page.status_code, page.url.path) == (200, "/citizen/")
        assert (await browser.session())["face"] == "citizen"


async def finished(browser: Browser) -> httpx.Response:
    """Log in, but stop before the callback is called."""
    await browser.log_in(person("lijing"))
    answer = await begun(browser)
    to_callback = await browser.http.get(answer.headers["Location"])
    assert to_callback.status_code == 302
    return to_callback


async def test_a_callback_serves_once(world: World):
    async with world.browser() as browser:
        address = (await finished(browser)).headers["Location"]
        assert (await browser.http.get(address)).status_code == 302
        again = await browser.http.get(address)
        assert again.status_code == 422
        assert "LOG_IN_STATE_UNKNOWN" in again.text


async def test_a_callback_of_another_browser_is_refused(world: World):
    async with world.browser() as attacker, world.browser() as victim:
        address = (await finished(attacker)).headers["Location"]
        await begun(victim)
        answer = await victim.http.get(address)
        assert answer.status_code == 422
        assert "LOG_IN_OF_ANOTHER_BROWSER" in answer.text
        assert victim.cookies.get("__Host-citizen") is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"state": "x" * 43}, "LOG_IN_STATE_UNKNOWN"),
        ({"state": None}, "LOG_IN_STATE_UNKNOWN"),
        ({"iss": "https://evil.example/realms/citizen"}, "ISSUER_MISMATCH"),
        ({"iss": None}, "ISSUER_MISMATCH"),
        ({"code": "made.up.code"}, "LOG_IN_REFUSED"),
        ({"code": None, "error": "access_denied"}, "LOG_IN_REFUSED"),
    ],
)
async def test_a_callback_that_was_tampered_with_is_refused(world: World, change: dict[str, str | None], reason: str):
    async with world.browser() as browser:
        address = httpx.URL((await finished(browser)).headers["Location"])
        before = browser.cookies.get("__Host-citizen")
        params = {name: value for name, value in {**dict(address.params), **change}.items() if value is not None}
        answer = await browser.http.get(address.copy_with(params=params))
        assert answer.status_code in (403, 422)
        assert reason in answer.text
        assert answer.headers["Content-Type"].startswith("text/html")
        assert browser.cookies.get("__Host-citizen") == before


async def test_a_state_of_the_other_face_is_unknown(world: World):
    async with world.browser() as browser:
        address = (await finished(browser)).headers["Location"].replace("/citizen/auth", "/workbench/auth")
        answer = await browser.http.get(address)
        assert answer.status_code == 422


async def test_the_session_id_changes_with_every_log_in(inside: Browser):
    before = inside.cookies.get("__Host-citizen")
    await inside.log_in(person("lijing"))
    after = inside.cookies.get("__Host-citizen")
    assert before != after
    old = Cookies()
    old.put("localhost", "__Host-citizen", before or "")
    inside.cookies = old
    answer = await inside.call("GET", "accounts/v1/me")
    assert answer.status_code == 401


async def test_logging_out_ends_the_session_here_and_at_keycloak(inside: Browser):
    session_id = inside.cookies.get("__Host-citizen") or ""
    await inside.log_out()
    assert inside.cookies.get("__Host-citizen") is None
    inside.cookies.put("localhost", "__Host-citizen", session_id)
    assert (await inside.call("GET", "accounts/v1/me")).status_code == 401
    # Keycloak asks for the password again
    page = await inside.visit("/citizen/auth/login")
    assert "password" in page.text


async def test_keycloak_tells_of_a_log_out_elsewhere(world: World, inside: Browser):
    realm = f"{world.settings.keycloak_url}/realms/citizen/protocol/openid-connect/logout"
    page = await inside.visit(realm, params={"client_id": "gateway"})
    form = re.search(r'<form[^>]+action="([^"]+)"', page.text)
    assert form is not None
    code = re.search(r'name="session_code" value="([^"]+)"', page.text)
    assert code is not None
    action = form[1].replace("&amp;", "&")
    await inside.visit(httpx.URL(str(page.url)).join(action).__str__(), method="post", data={"session_code": code[1]})

    async def out() -> bool:
        return (await inside.call("GET", "accounts/v1/me")).status_code == 401

    await until(out)


@pytest.mark.parametrize("token", ["", "x.y.z", "e30.e30.e30"])
async def test_a_false_log_out_token_ends_nothing(world: World, inside: Browser, token: str):
    async with world.http() as stranger:
        answer = await stranger.post("/citizen/auth/backchannel-logout", data={"logout_token": token})
    assert answer.status_code == 400
    assert (await inside.session())["face"] == "citizen"


async def test_an_access_token_is_no_log_out_token(world: World, service_token: str):
    async with world.http() as stranger:
        answer = await stranger.post("/workbench/auth/backchannel-logout", data={"logout_token": service_token})
    assert answer.status_code == 400
