"""Routes by role, department and region, read from the house's document: what to ask whom, and what must come back."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from demo.browser import Browser
from schemathesis import GenerationMode

from attack import cases, leaks
from attack.cases import Operation
from attack.leaks import PARAMETER
from demo import city

JSON = dict[str, Any]
NOBODY = "00000000-0000-7000-8000-00000000dead"
NOTHING = {"apps/code": "nothing_there"}
FILLED = {"kind": "person", "code": "newborn"}
# what somebody types who looks for more than he should see
TYPED = ("%", "_", "%%", "\\", "张", "zibo", "370302", "370303")
MOST_QUERIES = 30
# what a list would obey that hides more than it documents
UNDOCUMENTED = ({"org_path": "zibo"}, {"region_code": "370302"}, {"region_code": "370303"}, {"undelivered": "true"})
# what everybody may ask about himself or herself who works here: no post needs to be given that
ONESELF = frozenset({"accounts:who_am_i", "accounts:resolve_post"})
# names of things that everybody may know, or that one administrator of the whole city alone handles: how far an
# administrator of a district would see is asked by the services' own matrices
EVERYBODYS = frozenset({"org_id", "kind"})
ADMINISTERED = frozenset(
    {"person_id", "account_id", "guardianship_id", "employee_id", "post_id", "merger_id", "call_id"}
)


@dataclass(slots=True)
class Things:
    """Names of things that are there, by the parameter that takes them and the user names whose they are."""

    known: dict[str, dict[str, set[str]]] = field(default_factory=dict)
    # who else is told a name, without getting more by it
    told: dict[str, set[str]] = field(default_factory=dict)

    def add(self, parameter: str, name: str, of: Iterable[str]) -> None:
        self.known.setdefault(parameter, {}).setdefault(name, set()).update(of)

    def foreign(self, parameter: str, username: str) -> list[str]:
        """What somebody must not get: of all whose they are the first ones first, then the second ones."""
        seen: Counter[frozenset[str]] = Counter()
        ranks: dict[str, int] = {}
        for name, of in self.known.get(parameter, {}).items():
            if username not in of:
                seen[frozenset(of)] += 1
                ranks[name] = seen[frozenset(of)]
        return sorted(ranks, key=ranks.__getitem__)

    def unseen(self, username: str) -> set[str]:
        """What somebody must not even be shown."""
        foreign = {name for parameter in self.known for name in self.foreign(parameter, username)}
        return {name for name in foreign if username not in self.told.get(name, ())}


def parameter(operation: Operation) -> str:
    """What an operation names first: codes are told apart by what they are the codes of."""
    found: list[str] = PARAMETER.findall(operation.path)
    if found[:1] == ["code"]:
        return operation.path.split("/")[-2] + "/code"
    return found[0] if found else ""


def access(operation: Operation) -> JSON:
    told: JSON = operation.definition.raw["x-permission"]
    return told


def barred(operation: Operation, kind: str, held: Iterable[str]) -> str:
    """The reason by which somebody of this kind, with these permissions, is turned away; nothing if let in."""
    told = access(operation)
    if kind not in told["callers"]:
        return "CALLER_NOT_ALLOWED"
    has = kind == "citizen" or told["name"] in held or (kind == "officer" and told["name"] in ONESELF)
    return "" if has else "PERMISSION_MISSING"


def held(username: str) -> tuple[str, list[str]]:
    """What kind of caller somebody of the city is, and what the post may do."""
    officer = next((person for person in city.employees() if person["username"] == username), None)
    return ("officer", city.permissions(officer)) if officer else ("citizen", [])


def path(operation: Operation, name: str = NOBODY) -> str:
    """The operation's path, with this name in its first place and nobody's in the others."""
    filled = operation.path.removeprefix("/api/")
    for place, each in enumerate(PARAMETER.findall(operation.path)):
        filled = filled.replace(f"{{{each}}}", name if place == 0 and name != NOBODY else FILLED.get(each, NOBODY), 1)
    return filled


def sent(operation: Operation, seed: int) -> tuple[Any, dict[str, Any]]:
    """A body and a query that the document allows."""
    (case,) = cases.drawn(operation, GenerationMode.POSITIVE, 1, seed)
    return case.body if isinstance(case.body, dict) else {}, dict(case.query or {})


def queries(operation: Operation) -> Iterator[dict[str, str]]:
    """Nothing, what the document does not name, and every parameter that it does name with all that it takes, or that
    people type.
    """
    yield from ({}, *UNDOCUMENTED)
    yield from islice(_each(operation), MOST_QUERIES)


def _each(operation: Operation) -> Iterator[dict[str, str]]:
    for named in operation.definition.raw.get("parameters", ()):
        if named["in"] != "query" or named["name"] in {"cursor", "seconds"}:
            continue
        if named["name"] == "page_size":
            yield {"page_size": "100"}
            continue
        for schema in named["schema"].get("anyOf", [named["schema"]]):
            values = schema.get("enum") or {"boolean": ("true", "false"), "string": TYPED}.get(schema.get("type"), ())
            yield from ({named["name"]: str(value), "page_size": "100"} for value in values)


async def gather(people: dict[str, Browser], matters: Iterable[leaks.Matter], asked: Iterable[str]) -> Things:
    """Everything that the people of two departments and two districts have, as each of them is shown it."""
    things = Things()
    for company in city.legal_persons():
        # it is registered, and has its licence, there
        things.told[company["legal_person_id"]] = {company["registrar"]}
    for matter in matters:
        org_paths = {name: city.employee(name)["org_path"] for name in people if held(name)[0] == "officer"}
        for case_id, owner in matter.cases.items():
            things.add("case_id", case_id, {matter.applicant, *(n for n, org in org_paths.items() if org == owner)})
        involved = {name for name, org in org_paths.items() if org in matter.cases.values()}
        for name in matter.ids["document_id"]:
            things.add("document_id", name, {matter.applicant} | involved)
        for name in matter.ids["filing_id"]:
            # officers know it from their cases, and whose consent is asked for from the request
            things.add("filing_id", name, {matter.applicant})
            things.told.setdefault(name, set()).update(involved, asked)
    for username, person in people.items():
        for parameter_, listed, key in LISTED:
            for name in _named(await every(person, listed), key):
                things.add(parameter_, name, {username})
        # whoever asked for a consent is told which one was given
        for name in _named(await every(person, "verification/v1/consent-requests"), "consent_id"):
            things.told.setdefault(name, set()).add(username)
    return things


async def every(person: Browser, listed: str) -> list[JSON]:
    """All of a list, however long it takes; nothing for whom it is not."""
    items: list[JSON] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await leaks.unhurried(person, "GET", listed, params={"page_size": "100"} | cursor)
        if answer.is_error:
            return items
        told: JSON = answer.json()
        items += told["items"]
        if not told.get("next_cursor"):
            return items
        cursor = {"cursor": told["next_cursor"]}


def _named(told: Any, key: str) -> Iterator[str]:
    if isinstance(told, list):
        for each in told:
            yield from _named(each, key)
    elif isinstance(told, dict):
        if isinstance(told.get(key), str):
            yield told[key]
        for each in told.values():
            yield from _named(each, key)


# what each of them is shown of his or her own: the parameter, the list, the name in it
LISTED = (
    ("todo_id", "workbench/v1/todos", "todo_id"),
    ("message_id", "workbench/v1/messages", "message_id"),
    ("message_id", "workbench/v1/messages/sent", "message_id"),
    ("apps/code", "workbench/v1/apps", "code"),
    ("licence_id", "verification/v1/licences", "licence_id"),
    ("licence_id", "verification/v1/me/licences", "licence_id"),
    ("consent_id", "verification/v1/me/consents", "consent_id"),
    ("consent_request_id", "verification/v1/consent-requests", "consent_request_id"),
    ("consent_request_id", "verification/v1/me/consent-requests", "consent_request_id"),
    ("delegation_id", "accounts/v1/delegations", "delegation_id"),
    ("legal_person_id", "accounts/v1/me/legal-persons", "legal_person_id"),
    ("agency_id", "accounts/v1/me/legal-persons", "agency_id"),
)
