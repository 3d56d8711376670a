"""What this service refuses.

Refusal
├── DefinitionInvalid, DraftInvalid, ResultInvalid, ConditionFailed     (Invalid: what was sent is wrong)
├── MatterNotFound, FilingNotFound, CaseNotFound                        (NotFound: absent or out of sight)
├── DepartmentMissing, NoItemApplies                                    (nobody or nothing to do it)
├── PlanChanged, MaterialsMissing                                       (not what was shown, or not enough)
├── ProofTooWeak, ProofTooOld                                           (Denied: known more surely, or proven anew)
├── FilingProposed, ProposalEnded, FieldFixed                           (what was proposed is confirmed in time)
├── AgentOnly, MatterOfPersons, MatterNotGiven                           (Denied: acting for a legal person)
├── FilingAlreadySubmitted, FilingNotSubmitted, FilingAlreadyArchived
├── SupplementUnfit, AbsenceUnfit, ExtensionUnfit                       (Invalid: what is asked cannot be asked)
├── SupplementAlreadyRequested, SupplementOpen, SupplementNotRequested  (asked once, then answered)
├── AbsenceOpen, AbsenceNotTolerated                                    (minor materials that are still to come)
├── ClockStopped, ClockNotStopped, AlreadyExtended, LimitOverdue         (what may be done to a limit, and when)
├── OrganMissing                                                        (Invalid: who is not competent says who is)
├── DeliveryUnfit                                                       (Invalid: no such way to hand over)
├── CaseNotDecided, ResultNotIssued, CorrectionUnfit                    (what cannot be corrected, or not yet)
├── NothingToDeliver, CaseAlreadyDelivered                              (what has to reach the applicant)
├── CaseNotReady, CaseNotAccepted, CaseNotApproved, CaseAlreadyAccepted, CaseAlreadyDecided
├── AttachmentNotFound, AttachmentsTooMany, AttachmentEmpty, AttachmentTooLarge
├── AttachmentKindUnknown, AttachmentKindWrong, AttachmentNameUnfit     (files)
├── RequirementUnknown                                                  (no such file is asked for)
├── DocumentNotFound, DocumentUnknown                                    (absent; not genuine)
├── ArchiveNotFound                                                      (absent, not there yet, or out of sight)
├── EvidenceChanged, EvidenceUnchanged                                  (what was verified no longer holds; it does)
├── IncidentNotFound, NotOfAnApp                                        (nothing to retry, or to hand over)
└── MatterChanged                                                       (Conflict: two publish at once)
"""

from common.errors import Conflict, Denied, Invalid, NotFound, Refusal


class DefinitionInvalid(Invalid):
    """The definition of the matter has problems."""


class DraftInvalid(Invalid):
    """The form or the answers do not fit the matter."""


class ResultInvalid(Invalid):
    """The result of the decision does not fit the item."""


class ConditionFailed(Invalid):
    """A condition of the matter cannot be told from the form."""


class MatterNotFound(NotFound):
    """No such matter is in effect."""


class FilingNotFound(NotFound):
    """No such filing in the caller's sight."""


class CaseNotFound(NotFound):
    """No such case in the caller's sight."""


class DepartmentMissing(Refusal):
    """No body in the region does this item."""


class NoItemApplies(Refusal):
    """With these answers no item of the matter applies."""


class PlanChanged(Refusal):
    """The plan is not the one that was shown."""


class ProofTooWeak(Denied):
    """The applicant's identity is not proven surely enough for this matter."""


class ProofTooOld(Denied):
    """The applicant's identity was proven too long ago for this matter."""


class AgentOnly(Denied):
    """The matter is one of legal persons: name the one that is acted for."""


class MatterOfPersons(Denied):
    """The matter is one of natural persons, who act for themselves."""


class MatterNotGiven(Denied):
    """The legal person gave its agent other matters, not this one."""


class MaterialsMissing(Refusal):
    """Materials that the matter needs are missing."""


class FilingAlreadySubmitted(Refusal):
    """The filing has been submitted before."""


class FilingProposed(Refusal):
    """The filing was proposed: it is confirmed or declined, not submitted."""


class ProposalEnded(Refusal):
    """The proposal was confirmed or declined before, or its time is over."""


class FieldFixed(Invalid):
    """A field of a proposal that cannot be changed."""


class FilingNotSubmitted(Refusal):
    """The filing is still a draft."""


class FilingAlreadyArchived(Refusal):
    """The filing rests in the archive; nothing of it changes any more."""


class DeliveryUnfit(Invalid):
    """Documents are not handed over like this, or not yet."""


class CaseNotDecided(Refusal):
    """The department has decided nothing in this case."""


class ResultNotIssued(Refusal):
    """The licence of the case is still to be issued."""


class CorrectionUnfit(Invalid):
    """What is stated is not what a decision of this kind states, or nothing else than it did."""


class NothingToDeliver(Refusal):
    """Nothing of this case has to reach its applicant."""


class CaseAlreadyDelivered(Refusal):
    """All that had to reach the applicant did."""


class OrganMissing(Invalid):
    """The competent organ must be named when, and only when, the department is not competent."""


class SupplementUnfit(Invalid):
    """The fields or materials are not those that can be asked for, or that were."""


class AbsenceUnfit(Invalid):
    """These materials are not minor ones that are missing."""


class ExtensionUnfit(Invalid):
    """The law allows no extension of so many days."""


class SupplementAlreadyRequested(Refusal):
    """All that is missing is asked for at once, and only once."""


class SupplementOpen(Refusal):
    """The applicant was asked for something and has not answered yet."""


class SupplementNotRequested(Refusal):
    """Nothing was asked for."""


class AbsenceOpen(Refusal):
    """Materials that were tolerated as missing are still missing."""


class AbsenceNotTolerated(Refusal):
    """No materials are still to come."""


class ClockStopped(Refusal):
    """A special procedure is under way; the limit does not run."""


class ClockNotStopped(Refusal):
    """No special procedure is under way."""


class AlreadyExtended(Refusal):
    """A limit is extended once only."""


class LimitOverdue(Refusal):
    """The limit has passed and cannot be extended any more."""


class CaseNotReady(Refusal):
    """The case waits for others."""


class CaseNotAccepted(Refusal):
    """The case must be accepted first."""


class CaseNotApproved(Refusal):
    """The case has no result to record."""


class CaseAlreadyAccepted(Refusal):
    """The case has been accepted before."""


class CaseAlreadyDecided(Refusal):
    """The case has ended and cannot be decided again."""


class AttachmentNotFound(NotFound):
    """No such file in the caller's sight."""


class AttachmentsTooMany(Refusal):
    """This requirement has as many files as it may have."""


class AttachmentEmpty(Invalid):
    """The file is empty."""


class AttachmentTooLarge(Invalid):
    """The file is larger than 10 MiB."""


class AttachmentKindUnknown(Invalid):
    """The file is neither PDF nor JPEG nor PNG."""


class AttachmentKindWrong(Invalid):
    """The file is not what its Content-Type says."""


class AttachmentNameUnfit(Invalid):
    """The file's name does not end as files of its kind do."""


class RequirementUnknown(Invalid):
    """The matter has no such requirement that a scan could stand for."""


class DocumentNotFound(NotFound):
    """No such document in the caller's sight."""


class DocumentUnknown(NotFound):
    """No document has this number and code."""


class EvidenceChanged(Refusal):
    """Licences that this case stands on changed since they were verified."""


class EvidenceUnchanged(Invalid):
    """What is acknowledged as changed has not changed."""


class ArchiveNotFound(NotFound):
    """No filing of this case rests in the archive, as far as the caller may see."""


class IncidentNotFound(NotFound):
    """No such call waits for people."""


class NotOfAnApp(Refusal):
    """What waits for people is no case of an app."""


class MatterChanged(Conflict):
    """The matter was published by someone else at the same time."""
