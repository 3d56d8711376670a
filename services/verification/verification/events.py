"""What happened to a licence or a consent, as a fact on the bus: ids and codes, never what a face shows."""

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp
from tongban.verification.v1 import consent_events_pb2 as consent_pb
from tongban.verification.v1 import licence_events_pb2 as pb

from verification.domain.consent import Consent, ConsentRequest
from verification.domain.licence import Licence


def licence_issued(licence: Licence, *, at: datetime) -> pb.LicenceIssued:
    """Tell that the first version was issued."""
    return pb.LicenceIssued(
        licence_id=str(licence.licence_id),
        licence_type=licence.licence_type,
        version=licence.version,
        issued_at=_moment(at),
    )


def licence_renewed(licence: Licence, *, at: datetime) -> pb.LicenceRenewed:
    """Tell that a new version replaced the one before."""
    return pb.LicenceRenewed(
        licence_id=str(licence.licence_id),
        licence_type=licence.licence_type,
        version=licence.version,
        renewed_at=_moment(at),
    )


def licence_voided(licence: Licence, *, at: datetime) -> pb.LicenceVoided:
    """Tell that the current version became void, and by which of the two ways."""
    return pb.LicenceVoided(
        licence_id=str(licence.licence_id),
        licence_type=licence.licence_type,
        version=licence.version,
        reason=licence.recorded.value,
        voided_at=_moment(at),
    )


def consent_requested(asked: ConsentRequest) -> consent_pb.ConsentRequested:
    """Tell that a holder was asked."""
    return consent_pb.ConsentRequested(
        consent_request_id=str(asked.consent_request_id),
        holder_id=str(asked.holder_id),
        grantee_id=str(asked.grantee_id),
        matter_code=asked.matter_code,
        filing_id=str(asked.filing_id),
        requested_at=_moment(asked.requested_at),
    )


def consent_declined(asked: ConsentRequest, *, at: datetime) -> consent_pb.ConsentDeclined:
    """Tell that the holder declined."""
    return consent_pb.ConsentDeclined(
        consent_request_id=str(asked.consent_request_id),
        holder_id=str(asked.holder_id),
        grantee_id=str(asked.grantee_id),
        filing_id=str(asked.filing_id),
        declined_at=_moment(at),
    )


def consent_granted(consent: Consent) -> consent_pb.ConsentGranted:
    """Tell that a holder consented."""
    return consent_pb.ConsentGranted(
        consent_id=str(consent.consent_id),
        holder_id=str(consent.holder_id),
        grantee_id=str(consent.grantee_id),
        matter_code=consent.matter_code,
        filing_id=str(consent.filing_id or ""),
        granted_at=_moment(consent.granted_at),
        valid_until=_moment(consent.valid_until),
    )


def consent_withdrawn(consent: Consent, *, at: datetime) -> consent_pb.ConsentWithdrawn:
    """Tell that a consent was withdrawn."""
    return consent_pb.ConsentWithdrawn(
        consent_id=str(consent.consent_id),
        holder_id=str(consent.holder_id),
        grantee_id=str(consent.grantee_id),
        filing_id=str(consent.filing_id or ""),
        withdrawn_at=_moment(at),
    )


def _moment(at: datetime) -> Timestamp:
    moment = Timestamp()
    moment.FromDatetime(at)
    return moment
