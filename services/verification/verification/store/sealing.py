"""Every sealed column of the service: what `reseal` seals anew."""

from common import idempotency
from sealing import Sealed

from verification.models import consent_requests, consents, licence_versions

SEALED = (
    Sealed(licence_versions, "face"),
    Sealed(licence_versions, "void_explanation"),
    Sealed(consents, "purpose"),
    Sealed(consent_requests, "purpose"),
    idempotency.ANSWERS,
)
