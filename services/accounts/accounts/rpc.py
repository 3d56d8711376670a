"""The gRPC door."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from common import rpc
from common.errors import Invalid
from tongban.accounts.v1 import account_pb2, account_service_pb2_grpc
from tongban.accounts.v1 import account_service_pb2 as pb

from accounts.domain.organisation import Organisation
from accounts.domain.person import PersonView
from accounts.domain.post import Post, PostNotHeld
from accounts.store import Store
from accounts.usecases import guardianships, legal_persons, organisations, persons, posts
from accounts.usecases.posts import uuid_or_none

MOST = 200


class TooManyAsked(Invalid):
    """A batch names at most 200."""


class AccountService(account_service_pb2_grpc.AccountServiceServicer):
    """Who people are, where they work and what they may do."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def WhoAmI(self, _request: pb.WhoAmIRequest, context: rpc.Context) -> pb.WhoAmIResponse:  # noqa: N802
        async with self._store.begin(rpc.actor(context)) as tx:
            who = await persons.who_am_i(tx)
        return pb.WhoAmIResponse(
            person=_person(who.person) if who.person else None,
            employee_id=str(who.employee.employee_id) if who.employee else "",
            posts=[_post(post) for post in who.posts],
            wards=[
                _relation(ward.person.person_id, ward.guardianship_id, until=ward.valid_until) for ward in who.wards
            ],
        )

    async def ResolvePost(  # noqa: N802
        self, request: pb.ResolvePostRequest, context: rpc.Context
    ) -> pb.ResolvePostResponse:
        wanted = uuid_or_none(request.post_id)
        if request.post_id and wanted is None:
            raise PostNotHeld
        async with self._store.begin(rpc.actor(context)) as tx:
            post = await posts.act_in(tx, wanted)
        return pb.ResolvePostResponse(post=_post(post))

    async def BatchGetPosts(  # noqa: N802
        self, request: pb.BatchGetPostsRequest, context: rpc.Context
    ) -> pb.BatchGetPostsResponse:
        _check_count(request.post_ids)
        async with self._store.begin(rpc.actor(context)) as tx:
            found = await posts.batch_get_posts(tx, _ids(request.post_ids))
        return pb.BatchGetPostsResponse(posts=[_post(post) for post in found])

    async def FindPosts(self, request: pb.FindPostsRequest, context: rpc.Context) -> pb.FindPostsResponse:  # noqa: N802
        _check_count(request.org_ids)
        async with self._store.begin(rpc.actor(context)) as tx:
            found = await posts.find_posts(tx, _ids(request.org_ids), permission=request.permission)
        return pb.FindPostsResponse(posts=[_post(post) for post in found])

    async def BatchGetPersons(  # noqa: N802
        self, request: pb.BatchGetPersonsRequest, context: rpc.Context
    ) -> pb.BatchGetPersonsResponse:
        _check_count(request.person_ids)
        ids = _ids(request.person_ids)
        async with self._store.begin(rpc.actor(context)) as tx:
            found = await persons.batch_get_persons(tx, ids, purpose=request.purpose)
        return pb.BatchGetPersonsResponse(persons=[_person(person) for person in found])

    async def BatchGetOrganisations(  # noqa: N802
        self, request: pb.BatchGetOrganisationsRequest, context: rpc.Context
    ) -> pb.BatchGetOrganisationsResponse:
        _check_count(request.org_ids)
        ids = _ids(request.org_ids)
        async with self._store.begin(rpc.actor(context)) as tx:
            found = await organisations.batch_get_organisations(tx, ids)
        return pb.BatchGetOrganisationsResponse(organisations=_organisations(found))

    async def FindDepartments(  # noqa: N802
        self, request: pb.FindDepartmentsRequest, context: rpc.Context
    ) -> pb.FindDepartmentsResponse:
        _check_count(request.departments)
        async with self._store.begin(rpc.actor(context)) as tx:
            found = await organisations.find_departments(tx, request.region_code, request.departments)
        return pb.FindDepartmentsResponse(organisations=_organisations(found))

    async def CheckRelations(  # noqa: N802
        self, request: pb.CheckRelationsRequest, context: rpc.Context
    ) -> pb.CheckRelationsResponse:
        _check_count(request.person_ids)
        ids = _ids(request.person_ids)
        async with self._store.begin(rpc.actor(context)) as tx:
            found = await guardianships.check_relations(tx, ids)
        return pb.CheckRelationsResponse(
            relations=[_relation(each.ward_id, each.guardianship_id, until=each.valid_until) for each in found]
        )

    async def CheckAgent(self, request: pb.CheckAgentRequest, context: rpc.Context) -> pb.CheckAgentResponse:  # noqa: N802
        async with self._store.begin(rpc.actor(context)) as tx:
            found = await legal_persons.check_agent(
                tx,
                uscc=request.uscc,
                legal_person_id=uuid_or_none(request.legal_person_id),
                matter_code=request.matter_code,
                item_code=request.item_code,
            )
        answer = pb.CheckAgentResponse(
            legal_person_id=str(found.legal_person.legal_person_id),
            uscc=found.legal_person.uscc,
            all_matters=found.matters is None,
            matters=sorted(found.matters or ()),
        )
        if found.agency is not None:
            answer.agency_id = str(found.agency.agency_id)
            answer.valid_until.FromDatetime(found.agency.valid_until)
        return answer


def _check_count(asked: Iterable[str]) -> None:
    if len(list(asked)) > MOST:
        raise TooManyAsked(most=MOST)


def _ids(asked: Iterable[str]) -> list[UUID]:
    """Read ids; what is no id names nothing."""
    return [known for each in asked if (known := uuid_or_none(each))]


def _person(person: PersonView) -> account_pb2.Person:
    shown = account_pb2.Person(
        person_id=str(person.person_id),
        name_masked=person.name,
        id_number_masked=person.id_number,
        proof_level=person.proof_level,
    )
    shown.proof_obtained_at.FromDatetime(person.proof_obtained_at)
    return shown


def _relation(person_id: UUID, guardianship_id: UUID, *, until: datetime) -> account_pb2.Relation:
    relation = account_pb2.Relation(person_id=str(person_id), guardianship_id=str(guardianship_id))
    relation.valid_until.FromDatetime(until)
    return relation


def _organisations(found: Iterable[Organisation]) -> list[account_pb2.Organisation]:
    return [
        account_pb2.Organisation(
            org_id=str(organisation.org_id),
            name=organisation.name,
            uscc=organisation.uscc,
            department=organisation.department,
            region_code=organisation.region_code,
            org_path=organisation.org_path,
        )
        for organisation in found
    ]


def _post(post: Post) -> account_pb2.Post:
    return account_pb2.Post(
        post_id=str(post.post_id),
        employee_id=str(post.employee_id),
        org_id=str(post.org_id),
        org_path=post.org_path,
        region_code=post.region_code,
        permissions=post.permissions,
        title=post.title,
        acts_for_post_id=str(post.acts_for_post_id or ""),
        line_paths=post.line_paths,
    )


SERVICES = ((account_service_pb2_grpc.add_AccountServiceServicer_to_server, AccountService),)
