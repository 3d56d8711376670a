"""Makers of definitions, plans and filings for the tests of the rules."""

from copy import deepcopy
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import yaml
from orchestration.domain.case import Case, Clocks, Status
from orchestration.domain.definition import Definition, Handling, Item, Role, Subject
from orchestration.domain.filing import Filing, submit
from orchestration.domain.plan import Department, Draft, Finding, Found
from pydantic import TypeAdapter
from worktime import Clock, national

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
CALENDAR = national()
MOTHER = "00000000-0000-7000-8000-000000000201"
FATHER = "00000000-0000-7000-8000-000000000202"
NEWBORN_FILE = Path(__file__).parents[3] / "demo" / "matters" / "newborn.yaml"
DEFINITION = TypeAdapter(Definition)
FORM = {
    "child_name": "张小满",
    "child_sex": "female",
    "birth_time": "2026-02-27T08:30:00+08:00",
    "hospital": "张店区妇幼保健院",
    "birth_registration_no": "QF-2026-0227",
    "mother_name": "李静",
    "father_name": "张伟",
    "father_id": FATHER,
    "surname_from": "father",
    "household_address": "张店区柳泉路1号",
    "phone": "19900000001",
    "bank_account": "6222000011112222",
}


@cache
def matter(file: Path) -> dict:
    """A matter as it stands in its file; reading it takes longer than publishing it."""
    return yaml.safe_load(file.read_text("utf-8"))


def newborn_json() -> dict:
    """The matter as officers handle it, item by item."""
    definition = deepcopy(matter(NEWBORN_FILE))
    for item in definition["items"]:
        item.pop("handled_by", None)
    return definition


def child_allowance_json() -> dict:
    """The matter that is proposed after a newborn's household registration."""
    return deepcopy(matter(NEWBORN_FILE.parent / "child_allowance.yaml"))


def newborn_by_app(**apps: str) -> dict:
    """The matter with items that departments' own systems handle."""
    definition = newborn_json()
    for item in definition["items"]:
        if item["code"] in apps:
            item["handled_by"] = {"app": apps[item["code"]]}
    return definition


def newborn() -> Definition:
    # As the store reads it: from JSON.
    return DEFINITION.validate_json(DEFINITION.dump_json(DEFINITION.validate_python(newborn_json())))


def a_draft(*, insured: str = "insured", form: dict | None = None) -> Draft:
    return Draft(revision=1, applicant_id=MOTHER, answers={"mother_insured": insured}, form=form or FORM)


def departments_of(definition: Definition) -> dict[str, Department]:
    return {
        code: Department(code, f"org-{code}", f"zibo.zhangdian.{code}", "370303", "11370303MB9TD00551", code)
        for code in definition.departments
    }


def all_verified(definition: Definition) -> dict[str, Finding]:
    return {
        requirement.code: Finding(Found.VERIFIED, f"licence-{requirement.code}", 1)
        for requirement in definition.requirements
        if requirement.licence_type
    }


def an_item(code: str, serial: int = 0, **changes) -> Item:
    values = {
        "code": code,
        "item_code": f"002023{serial:03d}000",
        "name": code,
        "department": "health",
        "handling": Handling.PROMISED,
        "promised_days": 3,
        "statutory_days": 10,
    }
    return Item(**{**values, **changes})


def a_definition(*items: Item, **changes) -> Definition:
    values = {
        "code": "matter",
        "name": "matter",
        "effective_from": date(2026, 1, 1),
        "subject": Subject.PERSON,
        "lead_department": "health",
        "people": (Role("applicant", "applicant", applicant=True),),
        "form": {"type": "object", "additionalProperties": False, "properties": {"name": {"type": "string"}}},
        "items": items,
    }
    return Definition(**{**values, **changes})


def a_case(code: str, *, waits_for=(), gives_licence: bool = False) -> Case:
    return Case(
        id=code,
        no=code,
        item=code,
        item_name=code,
        org_id="org",
        org_path="zibo.health",
        org_uscc="11370303MB9TD00551",
        region_code="370303",
        status=Status.WAITING,
        waits_for=tuple(waits_for),
        open_dependencies=len(waits_for),
        gives_licence=gives_licence,
        clocks=Clocks(Clock(3), Clock(10)),
    )


def a_submitted_filing(*cases: Case) -> Filing:
    draft = Filing("filing", "matter", 1, "370303", MOTHER)
    return submit(draft, no="1", cases=cases, at=AT).filing
