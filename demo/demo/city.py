"""The demo city as it stands in `demo/city` and `demo/matters`: data read from YAML, nothing made up in code."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent


@cache
def read(name: str) -> dict[str, Any]:
    """One file of the city, e.g. `read("city/people")`."""
    content: dict[str, Any] = yaml.safe_load((ROOT / f"{name}.yaml").read_text(encoding="utf-8"))
    return content


def organisations() -> list[dict[str, Any]]:
    """Organisations (机构), parents before children."""
    return list(read("city/organisations")["organisations"])


def organisation(org_path: str) -> dict[str, Any]:
    return next(org for org in organisations() if org["org_path"] == org_path)


def citizens() -> list[dict[str, Any]]:
    """Those who log in."""
    return list(read("city/people")["citizens"])


def children() -> list[dict[str, Any]]:
    return list(read("city/people")["children"])


def citizen(username: str) -> dict[str, Any]:
    return next(person for person in citizens() if person["username"] == username)


def resident(name: str) -> dict[str, Any]:
    """A citizen by user name, or a child, who has none, by name."""
    everybody = [*citizens(), *children()]
    return next(person for person in everybody if name in (person.get("username"), person["name"]))


def holder_id(name: str) -> str:
    """Whom a licence is about: a company, or a resident."""
    companies = {company["name"]: company["legal_person_id"] for company in legal_persons()}
    found: str = companies.get(name) or resident(name)["person_id"]
    return found


def employees() -> list[dict[str, Any]]:
    return list(read("city/people")["employees"])


def employee(username: str) -> dict[str, Any]:
    return next(person for person in employees() if person["username"] == username)


def permissions(person: dict[str, Any]) -> list[str]:
    """What a demo employee's post may do: the union of its sets, in order, without repeats."""
    sets = read("city/people")["permission_sets"]
    return list(dict.fromkeys(permission for name in person["sets"] for permission in sets[name]))


def guardianships() -> list[dict[str, Any]]:
    return list(read("city/people")["guardianships"])


def legal_persons() -> list[dict[str, Any]]:
    return list(read("city/people")["legal_persons"])


def licence_types() -> list[dict[str, Any]]:
    return list(read("city/licences")["licence_types"])


def licences() -> list[dict[str, Any]]:
    return list(read("city/licences")["licences"])


def matters() -> list[dict[str, Any]]:
    """Every matter (一件事) definition of the city; what is proposed after another one comes after it."""
    found = [read(f"matters/{path.stem}") for path in sorted((ROOT / "matters").glob("*.yaml"))]
    return sorted(found, key=lambda matter: "proposed_by" in matter)
