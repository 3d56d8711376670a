"""Outgoing calls: the posts of officers are asked of accounts."""

from collections.abc import Sequence
from uuid import UUID

import grpc
from common import rpc
from common.auth import Actor, ServiceToken
from common.permissions import Post
from tongban.accounts.v1 import account_service_pb2, account_service_pb2_grpc

from workbench.domain.agency import Agency
from workbench.domain.consult import Department
from workbench.domain.sending import Receiver, ReceiverUnknown
from workbench.domain.todo import Colleague

CLAIM = "workbench:claim_todo"
READ_MESSAGES = "workbench:read_message"


class Colleagues:
    """Looks up posts and departments: as whoever asks may see them, or, where nobody asks, as the workbench may."""

    def __init__(self, channel: grpc.aio.Channel, own: ServiceToken) -> None:
        self._accounts = account_service_pb2_grpc.AccountServiceStub(channel)
        self._own = own

    async def find(self, actor: Actor, post_id: str) -> Colleague | None:
        """Find a post that is held now."""
        request = account_service_pb2.BatchGetPostsRequest(post_ids=[post_id])
        for post in (await rpc.call(self._accounts.BatchGetPosts, request, actor=actor)).posts:
            return Colleague(post_id=post.post_id, title=post.title, org_id=post.org_id)
        return None

    async def holders(self, post_ids: Sequence[str]) -> frozenset[str]:
        """Tell which of some posts, own or lent, are held now and may work on todos."""
        request = account_service_pb2.BatchGetPostsRequest(post_ids=post_ids)
        found = (await rpc.call(self._accounts.BatchGetPosts, request, token=await self._own.token())).posts
        return frozenset(post.post_id for post in found if CLAIM in post.permissions)

    async def staffed(self, org_ids: Sequence[UUID]) -> frozenset[UUID]:
        """Tell which of some organisations have a post that may work on todos."""
        request = account_service_pb2.FindPostsRequest(org_ids=map(str, org_ids), permission=CLAIM)
        found = (await rpc.call(self._accounts.FindPosts, request, token=await self._own.token())).posts
        return frozenset(UUID(post.org_id) for post in found)

    async def find_receivers(
        self, region_code: str, departments: Sequence[str], post_ids: Sequence[str]
    ) -> list[Receiver]:
        """Find the posts that receive messages: those of a region's departments, and those named; all must be there."""
        token = await self._own.token()
        asked = account_service_pb2.FindDepartmentsRequest(region_code=region_code, departments=departments)
        bodies = (await rpc.call(self._accounts.FindDepartments, asked, token=token)).organisations
        if {body.department for body in bodies} != set(departments):
            raise ReceiverUnknown
        inside = account_service_pb2.FindPostsRequest(org_ids=[body.org_id for body in bodies])
        named = account_service_pb2.BatchGetPostsRequest(post_ids=post_ids)
        found = [
            *(await rpc.call(self._accounts.FindPosts, inside, token=token)).posts,
            *(await rpc.call(self._accounts.BatchGetPosts, named, token=token)).posts,
        ]
        return [
            Receiver(post.post_id, post.title, UUID(post.org_id)) for post in found if READ_MESSAGES in post.permissions
        ]

    async def find_department(self, actor: Actor, region_code: str, department: str) -> Department | None:
        """Find who is a department in a region, or in the nearest region above it."""
        request = account_service_pb2.FindDepartmentsRequest(region_code=region_code, departments=[department])
        for found in (await rpc.call(self._accounts.FindDepartments, request, actor=actor)).organisations:
            return Department(UUID(found.org_id), found.name, found.org_path, found.region_code)
        return None


class Agencies:
    """Asks for whom a citizen acts, each time anew: an agency that was withdrawn counts no more."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._accounts = account_service_pb2_grpc.AccountServiceStub(channel)

    async def __call__(self, actor: Actor, legal_person_id: str) -> Agency:
        """Tell in which matters the caller acts for a legal person now; who does in none is refused."""
        request = account_service_pb2.CheckAgentRequest(legal_person_id=legal_person_id)
        answer = await rpc.call(self._accounts.CheckAgent, request, actor=actor)
        return Agency(answer.legal_person_id, None if answer.all_matters else frozenset(answer.matters))


class Standing:
    """Has accounts look at the caller's account: whoever is suspended or closed is refused."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._accounts = account_service_pb2_grpc.AccountServiceStub(channel)

    async def __call__(self, token: str) -> None:
        """Ask with the caller's own token."""
        await rpc.call(self._accounts.WhoAmI, account_service_pb2.WhoAmIRequest(), token=token)


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
            line_paths=tuple(post.line_paths),
        )
