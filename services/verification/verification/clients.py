"""Outgoing calls: the posts of officers, the wards of guardians and whom agents act for are asked of accounts."""

from collections.abc import Collection
from uuid import UUID

import grpc
from common import rpc
from common.auth import Actor
from common.permissions import Post
from tongban.accounts.v1 import account_service_pb2, account_service_pb2_grpc


class Posts:
    """Resolves the post that an officer asks to act in, with the officer's own token."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._accounts = account_service_pb2_grpc.AccountServiceStub(channel)

    async def __call__(self, token: str, employee_id: str, post_id: str | None) -> Post:
        """Ask for the post, or for the first when none is named."""
        request = account_service_pb2.ResolvePostRequest(post_id=post_id or "")
        post = (await rpc.call(self._accounts.ResolvePost, request, token=token)).post
        return Post(
            id=post.post_id,
            employee_id=employee_id,
            org_id=post.org_id,
            org_path=post.org_path,
            region_code=post.region_code,
            permissions=frozenset(post.permissions),
            title=post.title,
        )


class Standing:
    """Has accounts look at the caller's account: whoever is suspended or closed is refused."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._accounts = account_service_pb2_grpc.AccountServiceStub(channel)

    async def __call__(self, token: str) -> None:
        """Ask with the caller's own token."""
        await rpc.call(self._accounts.WhoAmI, account_service_pb2.WhoAmIRequest(), token=token)


class Guardians:
    """Tells whom a citizen is the guardian of, asked with the citizen's own token."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._accounts = account_service_pb2_grpc.AccountServiceStub(channel)

    async def guardianships(self, actor: Actor, holders: Collection[UUID]) -> dict[UUID, UUID]:
        """Ask for the caller's guardianships of these persons, by ward; who asks for nobody else needs no answer."""
        others = sorted(str(holder) for holder in holders if str(holder) != actor.id)
        if not others:
            return {}
        request = account_service_pb2.CheckRelationsRequest(person_ids=others)
        answer = await rpc.call(self._accounts.CheckRelations, request, actor=actor)
        return {UUID(each.person_id): UUID(each.guardianship_id) for each in answer.relations}


class Agents:
    """Tells whether a citizen acts for a legal person, asked with the citizen's own token."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._accounts = account_service_pb2_grpc.AccountServiceStub(channel)

    async def check(self, actor: Actor, legal_person_id: UUID, *, matter_code: str) -> None:
        """Ask whether the caller acts for it in the matter; who does not is refused."""
        request = account_service_pb2.CheckAgentRequest(legal_person_id=str(legal_person_id), matter_code=matter_code)
        await rpc.call(self._accounts.CheckAgent, request, actor=actor)
