"""The answer to a call that was already carried out."""


class Replayed(Exception):  # noqa: N818 - an answer, not an error
    """The call with this idempotency key was carried out before; this was its answer."""

    def __init__(self, answer: bytes) -> None:
        super().__init__()
        self.answer = answer
