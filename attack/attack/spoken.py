"""What a refusal must not say: how the house is built, and whom it knows."""

import re
from collections.abc import Iterator

# none of these is in what we send, so whoever says it has not heard it from us
INSIDES = {
    "a stack": re.compile(rb"Traceback \(most recent|, line \d+|File \\?\"/"),
    "a file's path": re.compile(rb"site-packages|/(?:usr|home|opt|root|var|tmp)/|\w\.py\b"),
    "a database's words": re.compile(
        rb"asyncpg|sqlalchemy|psycopg|sqlstate|syntax error at|(?:relation|column|constraint) \\?\""
        rb"|duplicate key|violates|invalid byte sequence|invalid input syntax"
    ),
    "a library's words": re.compile(rb"pydantic|protobuf|grpc\.|uvicorn|starlette|Exception|Error\("),
    "an address of a part": re.compile(rb"postgresql|nats://|redis://|\.sock\b"),
}


def insides(content: bytes) -> Iterator[str]:
    """Everything of the house's insides that is said."""
    for what, sign in INSIDES.items():
        if sign.search(content):
            yield what
