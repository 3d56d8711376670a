"""What happened to a licence, as a fact on the bus: ids and codes, never what its face shows."""

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp
from tongban.verification.v1 import licence_events_pb2 as pb

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


def _moment(at: datetime) -> Timestamp:
    moment = Timestamp()
    moment.FromDatetime(at)
    return moment
