"""The verbs of one-stop matters. A verb that must call out does so between two transactions, never within one."""

from orchestration.usecases.app import App, Outside
from orchestration.usecases.app_calls import Bulkheads, hand_over_incident, retry_incident, run_app_calls
from orchestration.usecases.archives import archive_filings, read_archive
from orchestration.usecases.attachments import (
    attach_file,
    discard_draft,
    list_files,
    read_case_file,
    read_file,
    remove_file,
)
from orchestration.usecases.callbacks import apply_word, forget_nonces, prepare_callback
from orchestration.usecases.calls import list_incidents, list_motionless, retry_incidents, run_calls
from orchestration.usecases.cases import accept_case, approve_case, list_cases, read_case, refuse_case
from orchestration.usecases.corrections import correct_case
from orchestration.usecases.deliveries import deliver_case, list_deliveries, record_opening
from orchestration.usecases.documents import check_document, list_documents, page_of, read_document
from orchestration.usecases.endings import decline_case, terminate_case, withdraw_case, withdraw_filing
from orchestration.usecases.filings import (
    draft_filing,
    list_filings,
    plan_filing,
    prepare_submission,
    read_filing,
    read_timeline,
    revise_filing,
    submit_filing,
)
from orchestration.usecases.limits import extend_limit, resume_clock, stop_clock
from orchestration.usecases.matters import list_matters, publish_matter, read_matter
from orchestration.usecases.mergers import follow_merger
from orchestration.usecases.proposals import (
    confirm_filing,
    decline_filing,
    prepare_confirmation,
    propose_filings,
    read_proposal,
    sweep_proposals,
)
from orchestration.usecases.supplements import (
    Answer,
    answer_supplement,
    request_supplement,
    supply_materials,
    tolerate_absence,
    verify_answer,
    withdraw_request,
)
from orchestration.usecases.timers import sweep_timers
from orchestration.usecases.watch import forget_changes, mark_change, prepare_reverification, reverify_case

__all__ = [
    "Answer",
    "App",
    "Bulkheads",
    "Outside",
    "accept_case",
    "answer_supplement",
    "apply_word",
    "approve_case",
    "archive_filings",
    "attach_file",
    "check_document",
    "confirm_filing",
    "correct_case",
    "decline_case",
    "decline_filing",
    "deliver_case",
    "discard_draft",
    "draft_filing",
    "extend_limit",
    "follow_merger",
    "forget_changes",
    "forget_nonces",
    "hand_over_incident",
    "list_cases",
    "list_deliveries",
    "list_documents",
    "list_files",
    "list_filings",
    "list_incidents",
    "list_matters",
    "list_motionless",
    "mark_change",
    "page_of",
    "plan_filing",
    "prepare_callback",
    "prepare_confirmation",
    "prepare_reverification",
    "prepare_submission",
    "propose_filings",
    "publish_matter",
    "read_archive",
    "read_case",
    "read_case_file",
    "read_document",
    "read_file",
    "read_filing",
    "read_matter",
    "read_proposal",
    "read_timeline",
    "record_opening",
    "refuse_case",
    "remove_file",
    "request_supplement",
    "resume_clock",
    "retry_incident",
    "retry_incidents",
    "reverify_case",
    "revise_filing",
    "run_app_calls",
    "run_calls",
    "stop_clock",
    "submit_filing",
    "supply_materials",
    "sweep_proposals",
    "sweep_timers",
    "terminate_case",
    "tolerate_absence",
    "verify_answer",
    "withdraw_case",
    "withdraw_filing",
    "withdraw_request",
]
