"""The service, open; orchestration on the bus before it, officers in front of its doors."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from common import outbox
from common.bus import Bus, Letter
from tongban.accounts.v1 import account_events_pb2
from tongban.orchestration.v1 import case_events_pb2 as pb
from tongban.orchestration.v1 import evidence_events_pb2 as evidence_pb
from tongban.orchestration.v1 import filing_events_pb2 as filing_pb
from tongban.verification.v1 import consent_events_pb2
from uuid_utils.compat import uuid7

from .accounts_door import Accounts, org_of

if TYPE_CHECKING:
    # The plugin is loaded by pytest, and must not be imported before.
    from common.testing import Issuer, Living

AT = datetime(2026, 11, 23, 1, tzinfo=UTC)
MOTHER = "00000000-0000-7000-8000-000000000201"
STRANGER = "00000000-0000-7000-8000-000000000203"
VERBS = ["workbench:read_todo", "workbench:claim_todo", "workbench:read_message", "workbench:ask_consult"]
OFFICERS = {
    "police": (VERBS, "zibo.zhangdian.police", "370303", "户籍窗口民警"),
    "police2": (VERBS, "zibo.zhangdian.police", "370303", "户籍窗口民警(二)"),
    "zichuan": (VERBS, "zibo.zichuan.police", "370302", "户籍窗口民警(淄川)"),
    "civil": (VERBS, "zibo.zhangdian.civil_affairs", "370303", "婚姻登记员"),
    "cdc": (["workbench:manage_app", "workbench:read_app"], "zibo.zhangdian.cdc", "370303", "系统管理员"),
    "platform": (
        ["workbench:approve_app", "workbench:read_app", "workbench:manage_app"],
        "zibo.big_data",
        "370300",
        "平台管理员",
    ),
    "lead": (
        [*VERBS, "workbench:reassign_todo", "workbench:send_message"],
        "zibo.zhangdian.police",
        "370303",
        "户籍科负责人",
    ),
    "city": (VERBS, "zibo", "370300", "市级督办"),
    "powerless": ([], "zibo.zhangdian.police", "370303", ""),
}
SUBSCRIPTIONS = {
    pb.CaseReady: "workbench-open_todo",
    pb.CaseAccepted: "workbench-schedule_todo",
    pb.CaseDueChanged: "workbench-reschedule_todo",
    pb.CaseSupplementRequested: "workbench-suspend_todo",
    pb.CaseSupplemented: "workbench-resume_todo",
    pb.CaseDelivered: "workbench-tell_delivered",
    pb.CaseCorrected: "workbench-tell_corrected",
    evidence_pb.CaseEvidenceChanged: "workbench-tell_evidence_changed",
    consent_events_pb2.ConsentRequested: "workbench-tell_consent_requested",
    pb.CaseDecided: "workbench-finish_todo",
    filing_pb.FilingSubmitted: "workbench-tell_submitted",
    filing_pb.FilingClosed: "workbench-tell_closed",
    filing_pb.FilingProposed: "workbench-tell_proposed",
    pb.CasePruned: "workbench-drop_todo",
    pb.CaseDeclined: "workbench-end_declined",
    pb.CaseWithdrawn: "workbench-end_withdrawn",
    pb.CaseTerminated: "workbench-end_terminated",
    account_events_pb2.PostChanged: "workbench-drop_post",
}


@dataclass(frozen=True)
class Orchestration:
    """Publishes facts of orchestration and its siblings; every one is delivered twice, as the bus may do."""

    bus: Bus

    async def tell(self, *facts):
        """Publish facts, and wait until the workbench has dealt with them."""
        for fact in facts:
            letter, kind = str(uuid7()), fact.DESCRIPTOR.full_name
            service = outbox.route(fact.DESCRIPTOR).service
            headers = {"ce-id": letter, "ce-type": kind, "ce-source": f"/{service}", "ce-time": AT.isoformat()}
            for delivery in ("first", "second"):
                # Another message id each time, or the broker itself would drop the second.
                sent = Letter(
                    uuid7(),
                    outbox.subject(fact),
                    headers | {"Nats-Msg-Id": f"{letter}-{delivery}"},
                    outbox.body(fact),
                )
                assert await self.bus.publish_batch([sent]) != [None]
        for kind in {type(fact) for fact in facts}:
            for durable in SUBSCRIPTIONS[kind].split():
                await self._handled(outbox.route(kind.DESCRIPTOR).stream, durable)

    async def _handled(self, stream, durable):
        async with asyncio.timeout(20):
            while True:
                info = await self.bus.consumer(stream, durable)
                if not info.num_pending and not info.num_ack_pending:
                    return
                await asyncio.sleep(0.02)


@dataclass(frozen=True)
class Office:
    """Short words for what officers do at the doors."""

    living: "Living"
    issuer: "Issuer"
    orchestration: Orchestration

    def officer(self, name, acr=2):
        return self.issuer.token("gov", employee_id=name, aud="workbench", acr=acr)

    def citizen(self, person_id):
        return self.issuer.token("citizen", person_id=person_id, aud="workbench", acr=1)

    def token(self, name):
        return self.citizen(name) if "-" in name else self.officer(name)

    async def ask(self, method, path, name="police", body=None, **headers):
        async with self.living.http(self.token(name)) as http:
            return await http.request(method, path, json=body, headers=headers)

    async def todos(self, query="", name="police"):
        answer = await self.ask("GET", f"/v1/todos{query}", name)
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]

    async def open_one(self, **given):
        """Have one case become ready, and give its todo."""
        case = ready(**given)
        await self.orchestration.tell(case)
        (todo,) = [todo for todo in await self.todos() if todo["source_id"] == case.case_id]
        return todo


def ready(case_id=None, *, version=1, at=AT, org_path="zibo.zhangdian.police", region_code="370303", **given):
    fact = pb.CaseReady(
        case_id=case_id or str(uuid7()),
        filing_id=str(uuid7()),
        case_no=given.pop("case_no", "3703032026112300001"),
        matter_code="newborn",
        item_code="000709003000",
        item_name="出生登记(户口)",
        org_id=org_of(org_path),
        org_path=org_path,
        region_code=region_code,
        version=version,
        **given,
    )
    fact.ready_at.FromDatetime(at)
    return fact


def accepted(case_id, *, version=2, promised=AT + timedelta(days=3)):
    fact = pb.CaseAccepted(case_id=case_id, version=version)
    fact.accepted_at.FromDatetime(AT)
    fact.promised_due_at.FromDatetime(promised)
    fact.statutory_due_at.FromDatetime(AT + timedelta(days=20))
    return fact


def claim(todo):
    return f"/v1/todos/{todo['todo_id']}:claim"


def rescheduled(case_id, *, version=3, promised=None):
    fact = pb.CaseDueChanged(case_id=case_id, version=version)
    fact.changed_at.FromDatetime(AT)
    if promised is not None:
        fact.promised_due_at.FromDatetime(promised)
    return fact


def decided(case_id, *, version=3, outcome=pb.OUTCOME_APPROVED, **given):
    fact = pb.CaseDecided(case_id=case_id, version=version, outcome=outcome, **given)
    fact.decided_at.FromDatetime(AT)
    return fact


def supplement_requested(case_id, *, version=2, **given):
    fact = pb.CaseSupplementRequested(case_id=case_id, version=version, **given)
    fact.requested_at.FromDatetime(AT)
    fact.due_at.FromDatetime(AT + timedelta(days=10))
    return fact


def supplemented(case_id, *, version=3):
    fact = pb.CaseSupplemented(case_id=case_id, version=version)
    fact.supplemented_at.FromDatetime(AT + timedelta(days=2))
    return fact


def pruned(case_id, *, version=2):
    fact = pb.CasePruned(case_id=case_id, version=version)
    fact.pruned_at.FromDatetime(AT)
    return fact


def declined(case_id, *, version=2, **given):
    fact = pb.CaseDeclined(case_id=case_id, version=version, reason_code="NOT_NEEDED", **given)
    fact.declined_at.FromDatetime(AT)
    return fact


def withdrawn(case_id, *, version=2):
    fact = pb.CaseWithdrawn(case_id=case_id, version=version)
    fact.withdrawn_at.FromDatetime(AT)
    return fact


def terminated(case_id, *, version=2, **given):
    fact = pb.CaseTerminated(case_id=case_id, version=version, reason_code="APPLICANT_SILENT", **given)
    fact.terminated_at.FromDatetime(AT)
    return fact


def submitted(filing_id=None, *, applicant_id=MOTHER, filing_no="370303202611230001", **given):
    fact = filing_pb.FilingSubmitted(
        filing_id=filing_id or str(uuid7()), filing_no=filing_no, cases=7, applicant_id=applicant_id, **given
    )
    fact.submitted_at.FromDatetime(AT)
    return fact


def closed(filing_id, *, applicant_id=MOTHER, filing_no="370303202611230001", **given):
    about = {"applicant_id": applicant_id, "filing_no": filing_no, **given}
    fact = filing_pb.FilingClosed(filing_id=filing_id, version=9, **about)
    fact.closed_at.FromDatetime(AT)
    return fact


def delivered(case_id, *, mode="post", **given):
    fact = pb.CaseDelivered(case_id=case_id, version=9, document_id=str(uuid7()), mode=mode, **given)
    fact.delivered_at.FromDatetime(AT)
    return fact


def corrected(case_id, *, version=9, **given):
    fact = pb.CaseCorrected(case_id=case_id, version=version, **given)
    fact.corrected_at.FromDatetime(AT)
    return fact


def evidence_changed(case_id, *, requirement="id_card", change="voided"):
    fact = evidence_pb.CaseEvidenceChanged(case_id=case_id, requirement=requirement, change=change)
    fact.changed_at.FromDatetime(AT)
    return fact


def consent_requested(holder_id):
    fact = consent_events_pb2.ConsentRequested(consent_request_id=str(uuid7()), holder_id=holder_id)
    fact.requested_at.FromDatetime(AT)
    return fact


def post_changed(name):
    fact = account_events_pb2.PostChanged(post_id=f"post-{name}", employee_id=name, version=2)
    fact.changed_at.FromDatetime(AT)
    return fact


def staffed(accounts: Accounts) -> Accounts:
    for name, (permissions, org_path, region_code, title) in OFFICERS.items():
        accounts.hire(name, *permissions, org_path=org_path, region_code=region_code, title=title)
    return accounts
