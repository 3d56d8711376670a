"""What people of the city arrange themselves, each with a session of their own. Arranging again changes nothing."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from demo import city
from demo.browser import Browser
from demo.people import Sessions, credentials
from demo.settings import Settings

JSON = dict[str, Any]
SHANGHAI = ZoneInfo("Asia/Shanghai")


async def arrange(settings: Settings, sessions: Sessions, *, at: datetime) -> None:
    """Companies are registered and appoint their agents; who goes on leave lends the post to a colleague."""
    for body in city.legal_persons():
        await _register(await sessions.of(body["registrar"]), body)
        await _appoint_agents(settings, await sessions.of(body["representative"]), body)
    for officer in city.employees():
        if "on_leave" in officer:
            await _leave(await sessions.of(officer["username"]), officer["on_leave"], at)


async def prove_more(browser: Browser, settings: Settings, username: str) -> None:
    """Give the second factor where an act needs it."""
    await browser.answer(f"/{browser.face}/auth/step-up", credentials(settings, username), params={"acr": "2"})


async def _register(registrar: Browser, body: JSON) -> None:
    registered = {name: body[name] for name in ("legal_person_id", "uscc", "name")}
    representative = {"representative_id": city.citizen(body["representative"])["person_id"]}
    await registrar.post("accounts/v1/legal-persons", registered | representative)


async def _appoint_agents(settings: Settings, representative: Browser, body: JSON) -> None:
    """The representative appoints whoever is not an agent yet."""
    represented = (await representative.get("accounts/v1/me/legal-persons"))["items"]
    agencies = [each for company in represented for each in company["agencies"]]
    known = {each["agent_id"] for each in agencies}
    wanted = [(city.citizen(each["agent"])["person_id"], each["valid_until"]) for each in body["agents"]]
    missing = [(agent_id, until) for agent_id, until in wanted if agent_id not in known]
    if missing:
        await prove_more(representative, settings, body["representative"])
    for agent_id, until in missing:
        appointed = {"agent_id": agent_id, "valid_until": until}
        await representative.post(f"accounts/v1/legal-persons/{body['legal_person_id']}/agents", appointed)


async def _leave(officer: Browser, leave: JSON, at: datetime) -> None:
    """Be away, and lend the post to a colleague until one is back."""
    back = at.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=leave["days"])
    returns_on = (await officer.get("workbench/v1/absence"))["returns_on"]
    if returns_on is None or datetime.fromisoformat(returns_on).date() <= at.astimezone(SHANGHAI).date():
        await officer.post("workbench/v1/absence", {"returns_on": back.date().isoformat()})
    lent = (await officer.get("accounts/v1/delegations"))["items"]
    if all(datetime.fromisoformat(each["valid_until"]) <= at for each in lent):
        delegate_id = city.employee(leave["delegate"])["employee_id"]
        await officer.post("accounts/v1/delegations", {"delegate_id": delegate_id, "valid_until": back.isoformat()})
