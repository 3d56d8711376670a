"""Every sealed column of the service: what `reseal` seals anew."""

from common import idempotency
from sealing import Sealed

from accounts.models import accounts, employees, guardianships, mergers, persons

SEALED = (
    Sealed(persons, "name"),
    Sealed(persons, "id_number"),
    Sealed(persons, "phone"),
    Sealed(employees, "name"),
    Sealed(guardianships, "proof"),
    Sealed(accounts, "reason"),
    Sealed(mergers, "grounds"),
    idempotency.ANSWERS,
)
