"""A matter (一件事) as versioned data: its items (事项), requirements (材料要求), determinants (情形) and roles.

The shapes are read from JSON as they stand; `checks` tells whether their content makes sense.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property
from graphlib import TopologicalSorter
from hashlib import sha256
from typing import Any, ClassVar

from orchestration.domain.terms import USUAL_TERMS, Terms

_STRICT: dict[str, str] = {"extra": "forbid"}


class Subject(StrEnum):
    """Whose matter it is (服务对象)."""

    PERSON = "person"
    ENTERPRISE = "enterprise"


class Handling(StrEnum):
    """Done on the spot (即办件) or within a promised limit (承诺件)."""

    INSTANT = "instant"
    PROMISED = "promised"


class Source(StrEnum):
    """Where a material comes from."""

    LICENCE = "licence"
    FORM = "form"
    PRODUCED = "produced"


class Necessity(StrEnum):
    """Whether the item can do without."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    DEFERRABLE = "deferrable"


class Needs(StrEnum):
    """What a dependency waits for: the approval of the other item, or only its end."""

    APPROVAL = "approval"
    END = "end"


@dataclass(frozen=True, slots=True)
class Role:
    """A person of the matter: the applicant, or one named by a field of the form that holds a person id."""

    __pydantic_config__: ClassVar = _STRICT
    code: str
    name: str
    applicant: bool = False
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer to a determinant."""

    __pydantic_config__: ClassVar = _STRICT
    value: str
    name: str


@dataclass(frozen=True, slots=True)
class Determinant:
    """A question whose answer selects items (情形引导)."""

    __pydantic_config__: ClassVar = _STRICT
    code: str
    question: str
    values: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Requirement:
    """A material that items need: a licence of a role, a field of the form, or what a sibling item produces.

    With `when` it is needed only where that condition holds.
    """

    __pydantic_config__: ClassVar = _STRICT
    code: str
    name: str
    source: Source
    licence_type: str | None = None
    holder: str | None = None
    field: str | None = None
    item: str | None = None
    when: str | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """That an item needs a requirement."""

    __pydantic_config__: ClassVar = _STRICT
    requirement: str
    necessity: Necessity = Necessity.REQUIRED


@dataclass(frozen=True, slots=True)
class Dependency:
    """That an item waits for another."""

    __pydantic_config__: ClassVar = _STRICT
    item: str
    needs: Needs = Needs.APPROVAL


@dataclass(frozen=True, slots=True)
class Result:
    """What an approval gives: fields that the officer enters, and perhaps a licence filled from form and result."""

    __pydantic_config__: ClassVar = _STRICT
    name: str
    licence_type: str | None = None
    holders: tuple[str, ...] = ()
    face: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OwnSystem:
    """The department's own system (应用) that handles an item, by its code in the registry."""

    __pydantic_config__: ClassVar = _STRICT
    app: str


@dataclass(frozen=True, slots=True)
class Item:
    """An item (事项): legally a case of its own, of one department."""

    __pydantic_config__: ClassVar = _STRICT
    code: str
    item_code: str
    name: str
    department: str
    handling: Handling
    promised_days: int
    statutory_days: int | None = None
    depends_on: tuple[Dependency, ...] = ()
    when: str | None = None
    form_fields: tuple[str, ...] = ()
    requirements: tuple[Need, ...] = ()
    result: Result | None = None
    handled_by: OwnSystem | None = None
    terms: Terms = USUAL_TERMS

    @property
    def deferrable(self) -> frozenset[str]:
        """The minor materials (次要材料) that may follow after acceptance."""
        return frozenset(need.requirement for need in self.requirements if need.necessity is Necessity.DEFERRABLE)

    @property
    def type(self) -> str:
        """The kind of administrative act, digits 3 and 4 of the basic code (GB/T 39554.1)."""
        return self.item_code[2:4]


class Cause(StrEnum):
    """What of another matter's item proposes a filing: its approval, or the licence that it gives."""

    APPROVAL = "approval"
    LICENCE = "licence"


@dataclass(frozen=True, slots=True)
class ProposedBy:
    """The item of another matter whose applicant is proposed this one for confirmation (提示待确认).

    Condition and form are expressions over `form`, `answers` and `result` of that item's filing, and `today`.
    """

    __pydantic_config__: ClassVar = _STRICT
    matter: str
    item: str
    form: Mapping[str, str]
    cause: Cause = Cause.APPROVAL
    when: str | None = None
    # what the applicant may change before confirming
    changeable: tuple[str, ...] = ()
    # working days in which it can be confirmed
    days: int = 20


@dataclass(frozen=True)
class Definition:
    """One version of a matter, complete; a filing stays on the version it began with."""

    __pydantic_config__: ClassVar = _STRICT
    code: str
    name: str
    effective_from: date
    subject: Subject
    lead_department: str
    people: tuple[Role, ...]
    form: Mapping[str, Any]
    items: tuple[Item, ...]
    requirements: tuple[Requirement, ...] = ()
    determinants: tuple[Determinant, ...] = ()
    # how surely accounts must know who the applicant is (实名等级), 0 to 4
    proof_level: int = 0
    # how long ago, in minutes, that may have been proven last; None is as long as accounts lets a proof count
    proof_minutes: int | None = None
    proposed_by: ProposedBy | None = None
    # days after which a closed filing goes to the archive (归档)
    archive_days: int = 30

    @cached_property
    def item(self) -> Mapping[str, Item]:
        return {item.code: item for item in self.items}

    @cached_property
    def requirement(self) -> Mapping[str, Requirement]:
        return {requirement.code: requirement for requirement in self.requirements}

    @cached_property
    def order(self) -> tuple[str, ...]:
        """The items so that each comes after those it depends on."""
        graph = {item.code: [dependency.item for dependency in item.depends_on] for item in self.items}
        return tuple(TopologicalSorter(graph).static_order())

    @cached_property
    def form_fields(self) -> frozenset[str]:
        return frozenset(self.form.get("properties", {}))

    @property
    def licence_types(self) -> frozenset[str]:
        """Every type of licence that the matter names."""
        asked = {requirement.licence_type for requirement in self.requirements}
        given = {item.result.licence_type for item in self.items if item.result}
        return frozenset(filter(None, asked | given))

    @property
    def departments(self) -> frozenset[str]:
        return frozenset(item.department for item in self.items)

    @property
    def checksum(self) -> str:
        return sha256(canonical(asdict(self)).encode()).hexdigest()


def people_of(definition: Definition, applicant_id: str, form: Mapping[str, Any]) -> dict[str, str]:
    """Who has which role in a filing; a role whose field is empty is left out."""
    found = {role.code: applicant_id if role.applicant else form.get(role.field or "") for role in definition.people}
    return {code: person for code, person in found.items() if isinstance(person, str) and person}


def canonical(value: object) -> str:
    """One spelling for the same content, whatever the order of its keys."""
    match value:
        case Mapping():
            return "{" + ",".join(f"{key!r}:{canonical(value[key])}" for key in sorted(value)) + "}"
        case list() | tuple():
            return "[" + ",".join(map(canonical, value)) + "]"
        case StrEnum():
            return repr(value.value)
        case date():
            return repr(value.isoformat())
        case _:
            return repr(value)
