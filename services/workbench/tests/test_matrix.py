"""Every door of this service, tried by everybody who may not."""

import httpx
from common.testing import Door, Matrix, Stranger, Who

from .apps import an_app, without_code
from .office import MOTHER, STRANGER, claim, submitted


async def test_only_who_may_is_let_in(office):
    todo = await office.open_one()
    police = Who("police", office.officer("police"))
    (cdc, platform), app = (Who(name, office.officer(name)) for name in ("cdc", "platform")), an_app()
    await office.ask("POST", "/v1/apps", "cdc", app)
    mother, stranger = (Who(name, office.citizen(name)) for name in (MOTHER, STRANGER))
    await office.orchestration.tell(submitted())
    (message,) = (await office.ask("GET", "/v1/messages", MOTHER)).json()["items"]
    lead = Who("lead", office.officer("lead"))
    path = f"/v1/todos/{todo['todo_id']}"

    async def claimed():
        await office.ask("POST", f"{path}:claim")
        return f"{path}:return", {"reason": "退"}

    civil, question = (
        Who("civil", office.officer("civil")),
        {"department": "civil_affairs", "question": "?", "due_on": "2026-11-26"},
    )

    async def to_ask():
        await office.ask("POST", "/v1/absence:end")
        seen = (await office.ask("GET", path)).json()
        await office.ask("POST", f"{path}:reassign", "lead", {"post_id": "post-police", "revision": seen["revision"]})
        return f"{path}:consult", question

    async def to_answer():
        await office.ask("POST", *(await to_ask())[:1], "police", question)
        theirs = (await office.todos("?kind=consult", "civil"))[0]
        await office.ask("POST", claim(theirs), "civil")
        return f"/v1/todos/{theirs['todo_id']}:answer", {"answer": "无异议"}

    async def as_seen():
        seen = (await office.ask("GET", path)).json()
        return f"{path}:reassign", {"post_id": "post-police2", "revision": seen["revision"]}

    async def to_recall():
        sent = (await office.ask("POST", "/v1/messages", "lead", message_to_police)).json()
        return f"/v1/messages/{sent['message_id']}:recall", None

    message_to_police = {"text": "请核对", "post_ids": ["post-police"]}
    sent = (await office.ask("POST", "/v1/messages", "lead", message_to_police)).json()

    elsewhere = [
        Stranger(Who("police of another district", office.officer("zichuan"))),
        Stranger(Who("another department", office.officer("civil"))),
    ]
    doors = [
        Door("GET", "/v1/todos", police),
        Door("GET", "/v1/todos/counts", police),
        Door("GET", f"/v1/todos/{todo['todo_id']}", police, strangers=elsewhere),
        Door("POST", "/v1/todos:claim", police, {"todo_ids": [todo["todo_id"]]}),
        Door("POST", "/v1/todos:return", police, {"todo_ids": [todo["todo_id"]], "reason": "退"}),
        Door("POST", f"/v1/todos/{todo['todo_id']}:claim", police, strangers=elsewhere),
        Door(
            "POST", f"/v1/todos/{todo['todo_id']}:return", police, {"reason": "退"}, strangers=elsewhere, given=claimed
        ),
        Door("POST", f"/v1/todos/{todo['todo_id']}:reassign", lead, given=as_seen),
        Door("GET", f"{path}/consults", police, strangers=elsewhere),
        Door("POST", f"{path}:consult", police, strangers=elsewhere, given=to_ask),
        Door("POST", f"{path}:answer", civil, given=to_answer),
        Door("GET", "/v1/absence", police),
        Door("GET", "/v1/messages", mother),
        Door("GET", "/v1/messages/counts", mother),
        Door("POST", f"/v1/messages/{message['message_id']}:read", mother, strangers=[Stranger(stranger)]),
        Door("POST", "/v1/messages", lead, message_to_police),
        Door("GET", "/v1/messages/sent", lead),
        Door("GET", f"/v1/messages/{sent['message_id']}/receipts", lead),
        Door("POST", f"/v1/messages/{sent['message_id']}:recall", lead, given=to_recall),
        Door("GET", "/v1/stream?seconds=1", mother, headers={"Accept": "text/event-stream"}),
        Door("POST", "/v1/absence", police, {"returns_on": "2026-11-30"}),
        Door("POST", "/v1/absence:end", police),
        Door("GET", "/v1/apps", cdc),
        Door("GET", "/v1/apps/vaccination", cdc),
        Door("POST", "/v1/apps", cdc, app),
        Door("PUT", "/v1/apps/vaccination", cdc, without_code(app)),
        Door("POST", "/v1/apps/vaccination:approve", platform),
        Door("POST", "/v1/apps/vaccination:suspend", platform),
    ]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{office.living.ports.http}") as http:
        matrix = Matrix(
            http, office.issuer, service="workbench", powerless=Who("powerless", office.officer("powerless"))
        )
        assert await matrix.uncovered(doors) == (set(), set())
        knocks = await matrix.knock(doors)
    assert [knock for knock in knocks if not knock.right] == []
