"""A password is changed: whoever came in by the old one is out, and whoever changed it stays."""

from collections.abc import AsyncIterator
from urllib.parse import urljoin
from uuid import uuid4

import accounts.settings
import httpx
import pytest
from accounts.clients.log_ins import LogIns
from accounts.usecases.passwords import PasswordWatch
from common import process
from demo.browser import Browser, Credentials
from demo.forms import forms

from .administration import Administrator, administrator
from .surroundings import World, until

ME = "accounts/v1/me"
NEW = "Quite-Another-Passphrase-7"
COMMON = "Qwerty123456"


@pytest.fixture
async def admin() -> AsyncIterator[Administrator]:
    async with administrator("citizen") as made:
        yield made


@pytest.fixture
async def newcomer(admin: Administrator) -> AsyncIterator[Credentials]:
    name = f"newcomer-{uuid4().hex[:8]}"
    async with admin.newcomer(name, "The-Old-Passphrase-42", "00000000-0000-7000-8000-00000000f001") as made:
        yield made


@pytest.fixture
def watch() -> PasswordWatch:
    """As accounts' own process has it; it looks every ten seconds."""
    known = accounts.settings.Settings()  # type: ignore[call-arg]
    secret = known.keycloak_admin_secret.get_secret_value()
    return PasswordWatch(lambda: LogIns(known.keycloak_url, known.keycloak_admin_client, secret), process.now())


async def status(browser: Browser) -> int:
    return (await browser.call("GET", ME)).status_code


async def next_second() -> None:
    """Keycloak tells in which second a log-in began: what is of the same second is neither before it nor after it."""
    second = int(process.now().timestamp())

    async def so() -> bool:
        return int(process.now().timestamp()) > second

    await until(so)


async def fill(browser: Browser, page: httpx.Response, **typed: str) -> httpx.Response:
    (form,) = forms(page.text)
    assert typed.keys() <= form.fields.keys()
    return await browser.visit(urljoin(str(page.url), form.action), method="post", data={**form.fields, **typed})


async def change_password(browser: Browser, old: str) -> None:
    """By the face's link, with nothing ticked."""
    page = await browser.visit("/citizen/auth/password")
    # whoever finds the browser open does not know it
    assert "password-new" not in page.text
    assert "请再输入一次密码，确认是您本人" in page.text
    page = await fill(browser, page, password=old)
    page = await fill(browser, page, **{"password-new": COMMON, "password-confirm": COMMON})
    assert "这个密码太常见，容易被猜到，请换一个" in page.text
    page = await fill(browser, page, **{"password-new": NEW, "password-confirm": NEW})
    assert (page.status_code, page.url.path) == (200, "/citizen/")


async def test_whoever_changes_the_password_stays_and_everybody_else_is_out(
    world: World, newcomer: Credentials, watch: PasswordWatch
):
    async with world.browser() as own, world.browser() as thief:
        for browser in (own, thief):
            await browser.log_in(newcomer)
        await watch.end_old_log_ins()
        assert [await status(each) for each in (own, thief)] == [200, 200]
        await next_second()
        await change_password(own, newcomer.password)
        assert await watch.end_old_log_ins() == 1

        async def out() -> bool:
            return await status(thief) == 401

        await until(out)
        assert await status(own) == 200
        # Keycloak has forgotten the thief too
        assert "password" in (await thief.visit("/citizen/auth/login")).text
        # by the new password one is let in, and whoever looks again leaves that alone
        await next_second()
        async with world.browser() as phone:
            await phone.log_in(Credentials(newcomer.username, NEW))
            await watch.end_old_log_ins()
            assert [await status(each) for each in (own, phone)] == [200, 200]


async def test_a_password_that_an_administrator_sets_ends_every_log_in(
    world: World, admin: Administrator, newcomer: Credentials, watch: PasswordWatch
):
    async with world.browser() as phone, world.browser() as computer:
        for browser in (phone, computer):
            await browser.log_in(newcomer)
        await admin.set_password(newcomer.username, NEW)
        assert await watch.end_old_log_ins() == 2

        async def out() -> bool:
            return {await status(phone), await status(computer)} == {401}

        await until(out)


async def test_nobody_changes_a_password_past_the_face_without_the_old_one(world: World, newcomer: Credentials):
    """By Keycloak's own address, right after a log-in."""
    async with world.browser() as browser:
        await browser.log_in(newcomer)
        await next_second()
        way = await browser.http.get(f"{world.url}/citizen/auth/login")
        page = await browser.visit(f"{way.headers['Location']}&kc_action=UPDATE_PASSWORD")
        assert page.status_code == 200
        (form,) = forms(page.text)
        assert ("password" in form.fields, "password-new" in form.fields) == (True, False)


async def test_whoever_is_not_logged_in_logs_in_first(world: World):
    async with world.browser() as stranger:
        way = await stranger.http.get(f"{world.url}/citizen/auth/password")
        assert (way.status_code, "kc_action" in way.headers["Location"]) == (302, False)
