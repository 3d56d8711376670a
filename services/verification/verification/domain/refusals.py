"""How the rules of this service say no.

Refusal
├── LicenceAlreadyVoid          a void licence cannot be renewed or voided again
├── LicenceVersionsExhausted    the identifier has room for 999 versions
├── LicenceRequestReused        the request id was used for another licence
├── ConsentAlreadyWithdrawn · ConsentRequestAlreadyAnswered
├── Conflict
│   └── LicenceChanged          the version named is no longer the current one
├── Denied
│   └── IssuerOutOfScope        an officer issues in the name of his own organisation
├── NotFound
│   ├── LicenceNotFound · LicenceTypeNotFound · ConsentNotFound · ConsentRequestNotFound · EvidenceNotFound
└── Invalid
    ├── IdentifierMalformed · IdentifierCheckWrong
    ├── LicenceTypeUnknown · LicenceTypeMalformed · IssuerMalformed · SerialMalformed
    ├── HolderCountWrong · ValidityReversed · ValidityTooLong
    ├── FaceFieldUnknown · FaceFieldMissing · FaceFieldsRepeated
    ├── ConsentToOneself · ConsentAlreadyOver · ConsentTypesMissing
    └── QueryKeyRepeated · QueriesTooMany · IdMalformed · TextUnfit
"""

from common.errors import Conflict, Denied, Invalid, NotFound, Refusal


class LicenceAlreadyVoid(Refusal):
    """The licence is void."""


class LicenceVersionsExhausted(Refusal):
    """The licence has had its last version."""


class LicenceRequestReused(Refusal):
    """This request id was used for another licence."""


class ConsentAlreadyWithdrawn(Refusal):
    """The consent was withdrawn."""


class ConsentRequestAlreadyAnswered(Refusal):
    """The holder has answered this request."""


class LicenceChanged(Conflict):
    """The licence has another version by now."""


class IssuerOutOfScope(Denied):
    """The issuer is not within the post's scope."""


class LicenceNotFound(NotFound):
    """There is no such licence."""


class LicenceTypeNotFound(NotFound):
    """There is no such licence type."""


class ConsentNotFound(NotFound):
    """There is no such consent."""


class ConsentRequestNotFound(NotFound):
    """There is no such request for consent."""


class EvidenceNotFound(NotFound):
    """Nothing of this kind was verified for the filing."""


class IdentifierMalformed(Invalid):
    """This is not a licence identifier."""


class IdentifierCheckWrong(Invalid):
    """The identifier's check character is wrong."""


class LicenceTypeUnknown(Invalid):
    """No such licence type is published."""


class LicenceTypeMalformed(Invalid):
    """A licence type has 21 characters: the defining body's code and three more."""


class IssuerMalformed(Invalid):
    """An issuer is named by its unified social credit code of 18 characters."""


class SerialMalformed(Invalid):
    """A serial is made of digits and capital letters."""


class HolderCountWrong(Invalid):
    """The licence type asks for another number of holders."""


class ValidityReversed(Invalid):
    """The licence would end before it begins."""


class ValidityTooLong(Invalid):
    """The licence type does not allow so long a validity."""


class FaceFieldUnknown(Invalid):
    """The licence type has no such face field."""


class FaceFieldMissing(Invalid):
    """A face field that the licence type requires is missing."""


class FaceFieldsRepeated(Invalid):
    """A face field is described twice."""


class ConsentToOneself(Invalid):
    """One's own licences need no consent."""


class ConsentAlreadyOver(Invalid):
    """The consent would be over before it begins."""


class ConsentTypesMissing(Invalid):
    """A consent names the licence types it is for."""


class QueryKeyRepeated(Invalid):
    """Two queries of one call have the same key."""


class QueriesTooMany(Invalid):
    """Too many queries in one call."""


class IdMalformed(Invalid):
    """This is not an id."""


class TextUnfit(Invalid):
    """The text is empty, too long, or holds control characters."""
