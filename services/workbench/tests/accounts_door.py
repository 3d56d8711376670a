"""A small real gRPC server that answers as accounts does when it is asked for a post."""

import base64
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status
from tongban.accounts.v1 import account_pb2, account_service_pb2, account_service_pb2_grpc

POLICE = "00000000-0000-7000-8000-000000000107"


def org_of(org_path: str) -> str:
    """Give the id of an organisation by its path."""
    return POLICE if org_path == "zibo.zhangdian.police" else str(uuid.uuid5(uuid.NAMESPACE_URL, org_path))


def claims_of(context) -> dict:
    """Read the token that was forwarded."""
    token = dict(context.invocation_metadata())["authorization"].split(".")[1]
    return json.loads(base64.urlsafe_b64decode(token + "=="))


class Accounts(account_service_pb2_grpc.AccountServiceServicer):
    """Holds posts; the first of an employee is given when none is named."""

    def __init__(self) -> None:
        self.posts: list[account_pb2.Post] = []
        # by person and legal person: the matters in which one acts for the other; None is every matter
        self.agencies: dict[tuple[str, str], set[str] | None] = {}
        self.target = ""

    def hire(
        self, employee_id: str, *permissions: str, org_path: str, region_code: str, title: str = "", line_paths=()
    ) -> str:
        post_id = f"post-{employee_id}"
        self.posts.append(
            account_pb2.Post(
                post_id=post_id,
                employee_id=employee_id,
                org_id=org_of(org_path),
                org_path=org_path,
                region_code=region_code,
                permissions=permissions,
                title=title,
                line_paths=line_paths,
            )
        )
        return post_id

    def end(self, employee_id: str) -> None:
        self.posts = [post for post in self.posts if post.employee_id != employee_id]

    async def ResolvePost(self, request, context):  # noqa: N802 - named by the contract
        employee_id = claims_of(context)["employee_id"]
        for post in self.posts:
            if post.employee_id == employee_id and request.post_id in ("", post.post_id):
                return account_service_pb2.ResolvePostResponse(post=post)
        return await context.abort(grpc.StatusCode.NOT_FOUND, "no post")

    async def CheckAgent(self, request, context):  # noqa: N802 - named by the contract
        asked = (claims_of(context)["person_id"], request.legal_person_id)
        if asked not in self.agencies:
            status = status_pb2.Status(code=grpc.StatusCode.PERMISSION_DENIED.value[0], message="no")
            reason = error_details_pb2.ErrorInfo(reason="AGENT_NOT_ENTITLED", domain="accounts.tongban")
            status.details.add().Pack(reason)
            await context.abort_with_status(rpc_status.to_status(status))
        matters = self.agencies[asked]
        return account_service_pb2.CheckAgentResponse(
            legal_person_id=request.legal_person_id, all_matters=matters is None, matters=sorted(matters or ())
        )

    async def BatchGetPosts(self, request, _context):  # noqa: N802 - named by the contract
        found = [post for post in self.posts if post.post_id in request.post_ids]
        return account_service_pb2.BatchGetPostsResponse(posts=found)

    async def FindPosts(self, request, _context):  # noqa: N802 - named by the contract
        found = [post for post in self.posts if post.org_id in request.org_ids]
        wanted = [post for post in found if request.permission in ("", *post.permissions)]
        return account_service_pb2.FindPostsResponse(posts=wanted)

    async def FindDepartments(self, request, _context):  # noqa: N802 - named by the contract
        known = {"civil_affairs": "民政局", "police": "公安局"}
        paths = {
            department: f"zibo.zhangdian.{department}" for department in request.departments if department in known
        }
        return account_service_pb2.FindDepartmentsResponse(
            organisations=[
                account_pb2.Organisation(
                    org_id=org_of(path),
                    name=known[department],
                    department=department,
                    region_code=request.region_code,
                    org_path=path,
                )
                for department, path in paths.items()
            ]
        )

    @asynccontextmanager
    async def serve(self) -> AsyncIterator["Accounts"]:
        server = grpc.aio.server()
        account_service_pb2_grpc.add_AccountServiceServicer_to_server(self, server)
        self.target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        await server.start()
        try:
            yield self
        finally:
            await server.stop(0)
