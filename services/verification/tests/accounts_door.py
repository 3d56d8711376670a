"""A small real gRPC server that answers as accounts does when it is asked for a post or for wards."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status
from tongban.accounts.v1 import account_pb2, account_service_pb2, account_service_pb2_grpc


class Accounts(account_service_pb2_grpc.AccountServiceServicer):
    """Holds posts; the first of an employee is given when none is named."""

    def __init__(self) -> None:
        self.posts: list[account_pb2.Post] = []
        # The wards of each guardian, with the guardianship.
        self.wards: dict[str, dict[str, str]] = {}
        # Who acts for which legal person, in which matter.
        self.agents: set[tuple[str, str, str]] = set()
        self.target = ""

    def hire(self, employee_id: str, *permissions: str, org_path: str, region_code: str, title: str = "") -> str:
        post_id = f"post-{employee_id}"
        self.posts.append(
            account_pb2.Post(
                post_id=post_id,
                employee_id=employee_id,
                org_id="00000000-0000-7000-8000-000000000107",
                org_path=org_path,
                region_code=region_code,
                permissions=permissions,
                title=title,
            )
        )
        return post_id

    async def ResolvePost(self, request, context):  # noqa: N802 - named by the contract
        token = dict(context.invocation_metadata())["authorization"].split(".")[1]
        employee_id = json.loads(base64.urlsafe_b64decode(token + "=="))["employee_id"]
        for post in self.posts:
            if post.employee_id == employee_id and request.post_id in ("", post.post_id):
                return account_service_pb2.ResolvePostResponse(post=post)
        return await context.abort(grpc.StatusCode.NOT_FOUND, "no post")

    async def CheckAgent(self, request, context):  # noqa: N802
        token = dict(context.invocation_metadata())["authorization"].split(".")[1]
        person = json.loads(base64.urlsafe_b64decode(token + "=="))["person_id"]
        if (person, request.legal_person_id, request.matter_code) not in self.agents:
            no = error_details_pb2.ErrorInfo(reason="AGENT_NOT_ENTITLED", domain="accounts.tongban")
            status = status_pb2.Status(code=grpc.StatusCode.PERMISSION_DENIED.value[0], message="no")
            status.details.add().Pack(no)
            await context.abort_with_status(rpc_status.to_status(status))
        return account_service_pb2.CheckAgentResponse(legal_person_id=request.legal_person_id)

    async def CheckRelations(self, request, context):  # noqa: N802 - named by the contract
        token = dict(context.invocation_metadata())["authorization"].split(".")[1]
        wards = self.wards.get(json.loads(base64.urlsafe_b64decode(token + "=="))["person_id"], {})
        return account_service_pb2.CheckRelationsResponse(
            relations=[
                account_pb2.Relation(person_id=ward, guardianship_id=wards[ward])
                for ward in request.person_ids
                if ward in wards
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
