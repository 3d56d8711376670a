"""The verbs of the library."""

from verification.usecases.consents import (
    decline_request,
    grant_consent,
    grant_request,
    list_consents,
    list_requests_by_me,
    list_requests_of_me,
    request_consent,
    withdraw_consent,
)
from verification.usecases.licences import (
    check_licence_types,
    correct_licence,
    issue_licence,
    list_licence_types,
    list_licences,
    publish_licence_type,
    read_licence,
    renew_licence,
    void_licence,
)
from verification.usecases.mergers import follow_merger
from verification.usecases.verifications import find_licences, list_verifications, reverify_licences, verify_licences

__all__ = [
    "check_licence_types",
    "correct_licence",
    "decline_request",
    "find_licences",
    "follow_merger",
    "grant_consent",
    "grant_request",
    "issue_licence",
    "list_consents",
    "list_licence_types",
    "list_licences",
    "list_requests_by_me",
    "list_requests_of_me",
    "list_verifications",
    "publish_licence_type",
    "read_licence",
    "renew_licence",
    "request_consent",
    "reverify_licences",
    "verify_licences",
    "void_licence",
    "withdraw_consent",
]
