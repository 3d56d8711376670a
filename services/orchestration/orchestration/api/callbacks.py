"""Where departments' own systems tell what they decided, with their own token and a signature over the message."""

from dataclasses import replace
from typing import Annotated, Any

from common import web
from common.auth import Actor
from common.permissions import Caller, Permission
from common.web import may
from fastapi import APIRouter, Request
from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from orchestration import usecases
from orchestration.api.access import AppDep, JsonObject
from orchestration.clients.signatures import Message
from orchestration.domain.app_call import Answered, Told, Verdict

router = APIRouter()

MayCallBack = Annotated[Actor, may(Permission("orchestration:call_back", frozenset({Caller.SERVICE})))]

_UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
_SIGNED = ("content-type", "content-digest", "signature", "signature-input")


class Callback(web.Body):
    """What an app tells of a case: that it took it, or how it decided."""

    case_id: Annotated[str, StringConstraints(pattern=_UUID)]
    attempt: Annotated[int, Field(ge=1, le=1_000_000)]
    outcome: Verdict
    result: JsonObject = Field(default_factory=dict)
    reason_code: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{1,62}$")] | None = None
    explanation: web.LongText | None = None

    @model_validator(mode="after")
    def is_whole(self) -> "Callback":
        if (self.outcome is Verdict.REFUSE) != (self.reason_code is not None and self.explanation is not None):
            raise PydanticCustomError("reasons", "a refusal, and nothing else, has its reasons")
        if self.result and self.outcome is not Verdict.APPROVE:
            raise PydanticCustomError("result", "an approval, and nothing else, has a result")
        return self


@router.post("/v1/callbacks")
async def receive_callback(body: Callback, request: Request, app: AppDep, actor: MayCallBack) -> Answered:
    headers = {name: request.headers[name] for name in _SIGNED if name in request.headers}
    message = Message("POST", app.callback_url, headers, await request.body())
    told = Told(**body.model_dump())
    # Whether it is believed is no part of the answer that a repetition gets.
    looking = replace(actor, call=replace(actor.call, idempotency_key=None))
    code = await usecases.prepare_callback(app, looking, told, message)
    async with app.store.begin(actor) as tx:
        answered = tx.unit.answer(await usecases.apply_word(tx, code, told, calendar=app.calendar))
    app.calls_due.set()
    return answered


@router.get("/v1/callbacks/keys")
async def list_signing_keys(app: AppDep, actor: MayCallBack) -> dict[str, list[dict[str, Any]]]:  # noqa: ARG001
    return {"keys": [app.outside.departments.signer.jwk]}
