"""Every sealed column of the service: what `reseal` seals anew."""

from common import idempotency
from sealing import Sealed

from workbench.models import apps, consults, messages, todos

SEALED = (
    Sealed(todos, "return_reason"),
    Sealed(consults, "question"),
    Sealed(consults, "answer"),
    Sealed(messages, "body"),
    Sealed(apps, "contact"),
    idempotency.ANSWERS,
)
