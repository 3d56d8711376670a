"""Nasty texts in the fields that people fill in: refused with a reason, or kept and given back letter by letter."""

import itertools
import time

import pytest
from attack.corpora import BIDI, CONTROL, EVERYTHING, LONG
from demo.people import Sessions
from demo.settings import Settings as DemoSettings

from attack import leaks, matrix
from demo import city, newborn

# what shows a text in another order than it is read, or breaks a line where nobody sees it
MISLEADING = ("\u202e", "\u202a", "\u2066", "\u2069", "\u2028", "\u2029", "\x85", "\x9b", "\ufeff")
SERIAL = itertools.count(int(time.time()) % 1_000_000)


@pytest.fixture(scope="module")
async def sessions(everybody):
    assert everybody, "the city is loaded"
    async with Sessions(DemoSettings()) as opened:
        yield opened


async def in_a_form(sessions, text):
    """A child's name on a draft, read by the mother."""
    mother = await sessions.of("lijing")
    form = newborn.form(next(SERIAL), "lijing", None) | {"child_name": text}
    body = {"matter_code": newborn.MATTER, "region_code": newborn.REGION, "form": form}
    answer = await leaks.unhurried(
        mother, "POST", "orchestration/v1/filings", body | {"determinants": {"mother_insured": "insured"}}
    )
    if answer.is_error:
        return answer, None
    read = await leaks.unhurried(mother, "GET", f"orchestration/v1/filings/{answer.json()['filing_id']}")
    return answer, read.json()["form"]["child_name"]


async def in_a_purpose(sessions, text):
    """Why a consent is asked for, read by who asked."""
    mother = await sessions.of("lijing")
    until = {"valid_until": "2030-01-01T00:00:00Z", "licence_types": [newborn.ID_CARD], "matter_code": newborn.MATTER}
    body = until | {"grantee_id": city.citizen("maqiang")["person_id"], "purpose": text}
    answer = await leaks.unhurried(mother, "POST", "verification/v1/consents", body)
    if answer.is_error:
        return answer, None
    consent = answer.json()["consent_id"]
    listed = await matrix.every(mother, "verification/v1/me/consents")
    await leaks.unhurried(mother, "POST", f"verification/v1/consents/{consent}:withdraw", {})
    return answer, next(each["purpose"] for each in listed if each["consent_id"] == consent)


async def in_a_message(sessions, text):
    """What a lead tells the colleagues."""
    lead = await sessions.of("police")
    body = {"text": text, "departments": ["police"]}
    answer = await leaks.unhurried(lead, "POST", "workbench/v1/messages", body)
    if answer.is_error:
        return answer, None
    listed = await matrix.every(lead, "workbench/v1/messages/sent")
    return answer, next(each["text"] for each in listed if each["message_id"] == answer.json()["message_id"])


async def in_a_name(sessions, text):
    """What an employee is called."""
    admin = await sessions.of("admin")
    office = city.organisation("zibo.big_data")["org_id"]
    answer = await leaks.unhurried(admin, "POST", "accounts/v1/employees", {"name": text, "org_id": office})
    if answer.is_error:
        return answer, None
    read = await leaks.unhurried(admin, "GET", f"accounts/v1/employees/{answer.json()['employee_id']}")
    told = read.json()
    return answer, told.get("name") or told["employee"]["name"]


FIELDS = (in_a_form, in_a_purpose, in_a_message, in_a_name)


def test_the_corpora_hold_what_they_are_for():
    assert {"%", "_", "\\"} <= set(EVERYTHING)
    assert any("\u0000" in each for each in CONTROL)
    assert any("\u202e" in each for each in BIDI)
    assert max(map(len, LONG)) > 4_000


@pytest.mark.timeout(240)
@pytest.mark.parametrize("field", FIELDS, ids=lambda each: each.__name__)
async def test_a_text_is_refused_or_kept_letter_by_letter(sessions, field):
    wrong, kept = [], 0
    for text in EVERYTHING:
        if len(text) > 100_000:
            continue
        answer, read = await field(sessions, text)
        kept += answer.is_success
        fine = read in {text, text.strip()} if answer.is_success else answer.status_code in {400, 409, 413, 422}
        if not fine or (answer.is_error and not answer.json().get("reason")):
            wrong.append((text[:60], answer.status_code, answer.text[:200], read and read[:60]))
    assert wrong == []
    assert kept > 10


@pytest.mark.parametrize("field", FIELDS, ids=lambda each: each.__name__)
async def test_no_text_shows_another_order_than_it_has(sessions, field):
    """A name that is shown backwards is another's name to who decides on it."""
    taken = []
    for sign in MISLEADING:
        answer, _ = await field(sessions, f"李{sign}静")
        if answer.status_code != 422:
            taken.append((ascii(sign), answer.status_code, answer.text[:100]))
    assert taken == []
