"""Facts of the accounts, as they travel. Ids only: nothing personal leaves by the bus."""

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp
from tongban.accounts.v1 import account_events_pb2 as pb

from accounts.domain.account import Account, AccountState
from accounts.domain.guardianship import Guardianship
from accounts.domain.legal_person import Agency, LegalPerson
from accounts.domain.merger import Merger
from accounts.domain.organisation import Organisation
from accounts.domain.person import Person
from accounts.domain.post import Post


def person_registered(person: Person, *, at: datetime) -> pb.PersonRegistered:
    return pb.PersonRegistered(person_id=str(person.person_id), registered_at=_moment(at))


def organisation_changed(organisation: Organisation, *, at: datetime) -> pb.OrganisationChanged:
    return pb.OrganisationChanged(org_id=str(organisation.org_id), version=organisation.version, changed_at=_moment(at))


def post_changed(post: Post, *, at: datetime) -> pb.PostChanged:
    return pb.PostChanged(
        post_id=str(post.post_id),
        employee_id=str(post.employee_id),
        org_id=str(post.org_id),
        version=post.version,
        changed_at=_moment(at),
    )


type AccountChanged = pb.AccountSuspended | pb.AccountReactivated | pb.AccountClosed


def account_changed(account: Account, *, at: datetime) -> AccountChanged:
    """Tell the state that an account has come to."""
    name, kind, version = str(account.account_id), account.kind.value, account.version
    match account.state:
        case AccountState.SUSPENDED:
            return pb.AccountSuspended(account_id=name, kind=kind, version=version, suspended_at=_moment(at))
        case AccountState.ACTIVE:
            return pb.AccountReactivated(account_id=name, kind=kind, version=version, reactivated_at=_moment(at))
        case AccountState.CLOSED:
            return pb.AccountClosed(account_id=name, kind=kind, version=version, closed_at=_moment(at))


def legal_person_registered(legal_person: LegalPerson, *, at: datetime) -> pb.LegalPersonRegistered:
    return pb.LegalPersonRegistered(
        legal_person_id=str(legal_person.legal_person_id), version=legal_person.version, registered_at=_moment(at)
    )


def agent_changed(agency: Agency, *, at: datetime) -> pb.AgentChanged:
    return pb.AgentChanged(
        agency_id=str(agency.agency_id),
        legal_person_id=str(agency.legal_person_id),
        agent_id=str(agency.agent_id),
        version=agency.version,
        changed_at=_moment(at),
    )


def persons_merged(merger: Merger, *, at: datetime) -> pb.PersonsMerged:
    return pb.PersonsMerged(
        merged_id=str(merger.merged_id), surviving_id=str(merger.surviving_id), merged_at=_moment(at)
    )


def guardianship_changed(guardianship: Guardianship, *, at: datetime) -> pb.GuardianshipChanged:
    return pb.GuardianshipChanged(
        guardianship_id=str(guardianship.guardianship_id),
        guardian_id=str(guardianship.guardian_id),
        ward_id=str(guardianship.ward_id),
        version=guardianship.version,
        changed_at=_moment(at),
    )


def _moment(at: datetime) -> Timestamp:
    moment = Timestamp()
    moment.FromDatetime(at)
    return moment
