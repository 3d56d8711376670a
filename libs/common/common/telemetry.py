"""Logs, traces and metrics: hand-placed at the doors, one name for the same act in all three."""

import logging
import os
import re
import secrets
import sys
import traceback
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
import structlog
from opentelemetry import context, trace
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, TraceFlags
from prometheus_client import REGISTRY, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

log = structlog.get_logger()

DOOR_SECONDS = Histogram(
    "tongban_door_seconds",
    "Time from knock to answer at a door.",
    ("service", "door", "verb", "outcome"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")

# The last defence: whatever slipped into a log field and looks like a person's number or a token is cut out.
_PERSONAL = re.compile(
    r"(?<![0-9A-Za-z])(?:\d{17}[0-9Xx]|\d{15}|1[3-9]\d{9}|\+861[3-9]\d{9})(?![0-9A-Za-z])"
    r"|eyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?"
    r"|(?i:bearer)\s+\S+"
)
_OF_CODE = (TypeError, AttributeError, NameError, ImportError, RuntimeError, AssertionError, OSError)
_DEEPEST = 6
_LONGEST_MESSAGE = 200

_provider: "TracerProvider | None" = None


def setup(service: str) -> None:
    """Send JSON lines to standard output, and traces to the collector that the environment names, if any."""
    structlog.configure(
        processors=[structlog.stdlib.add_log_level, _stamp, _explain, _redact, _render],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=_Stdout,
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.clear_contextvars()
    logging.basicConfig(handlers=[_Forward()], level=logging.WARNING, force=True)
    if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        _export(service)


def _export(service: str) -> None:
    # Imported here: the SDK and its exporter cost a quarter of the start, and most places have no collector.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased  # noqa: PLC0415

    global _provider  # noqa: PLW0603 - one per process, by nature
    _provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(float(os.environ.get("OTEL_TRACES_SAMPLER_ARG", "0.1")))),
        resource=Resource.create({"service.name": service}),
    )
    _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))


def shutdown() -> None:
    """Send what is still held back."""
    if _provider is not None:
        _provider.shutdown()


@contextmanager
def span(name: str, *, parent: str = "", **attributes: str) -> Iterator[Span]:
    """Work under a span; `parent` is a traceparent that came from outside."""
    above = _parse(parent)
    if _provider is not None:
        inside = trace.set_span_in_context(NonRecordingSpan(above)) if above else None
        tracer = _provider.get_tracer("tongban")
        # Messages of exceptions may quote data, so the span learns only that it failed.
        with tracer.start_as_current_span(name, inside, attributes=attributes, record_exception=False) as recorded:
            yield recorded
        return
    above = above or trace.get_current_span().get_span_context()
    child = SpanContext(
        trace_id=above.trace_id or secrets.randbits(128) or 1,
        span_id=secrets.randbits(64) or 1,
        is_remote=False,
        trace_flags=above.trace_flags,
    )
    token = context.attach(trace.set_span_in_context(NonRecordingSpan(child)))
    try:
        yield NonRecordingSpan(child)
    finally:
        context.detach(token)


def _parse(parent: str) -> SpanContext | None:
    matched = _TRACEPARENT.fullmatch(parent)
    if matched is None:
        return None
    trace_id, span_id, flags = (int(part, 16) for part in matched.groups())
    found = SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags & 1))
    return found if found.is_valid else None


def traceparent() -> str:
    """Spell the current span for a header; empty when there is none."""
    current = trace.get_current_span().get_span_context()
    if not current.is_valid:
        return ""
    return f"00-{current.trace_id:032x}-{current.span_id:016x}-{current.trace_flags:02x}"


def trace_id() -> str:
    """Spell the current trace; empty when there is none."""
    current = trace.get_current_span().get_span_context()
    return f"{current.trace_id:032x}" if current.is_valid else ""


def exposition() -> tuple[bytes, str]:
    """Give all metrics as Prometheus reads them, with their content type."""
    return generate_latest(REGISTRY), CONTENT_TYPE_LATEST


class _Stdout:
    """Writes to whatever standard output is now (a test may have changed it)."""

    def __init__(self, *_args: object) -> None:
        pass

    def msg(self, line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    debug = info = warning = error = critical = msg


class _Forward(logging.Handler):
    """Lets other people's loggers speak JSON too."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        log.log(record.levelno, record.name, message=record.getMessage(), exc_info=error)


def _stamp(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event["at"] = datetime.now(UTC).isoformat(timespec="milliseconds")
    if current := trace_id():
        event["trace_id"] = current
    return event


def _explain(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Show where an exception came from; its message only where it speaks of code, for the others quote data."""
    error = event.pop("exc_info", None)
    error = sys.exc_info()[1] if error is True else error
    if not isinstance(error, BaseException):
        return event
    event["error"] = type(error).__name__
    cause = error.__cause__
    for each in filter(None, (error, cause)):
        code = str(getattr(each, "sqlstate", None) or "")
        # Class 42 of SQL is about statements: unknown columns, wrong syntax.
        if isinstance(each, _OF_CODE) or code.startswith("42"):
            event["message"] = (str(each).splitlines() or [""])[0][:_LONGEST_MESSAGE]
        if code:
            event["sqlstate"] = code
    event["stack"] = [f"{at.filename}:{at.lineno} {at.name}" for at in traceback.extract_tb(error.__traceback__)]
    if cause is not None:
        event["cause"] = type(cause).__name__
    if isinstance(error, BaseExceptionGroup):
        event["errors"] = [type(each).__name__ for each in error.exceptions]
    return event


def _redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    return {key: _clean(value, 0) for key, value in event.items()}


def _clean(value: object, depth: int) -> object:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, Mapping) and depth < _DEEPEST:
        return {str(_clean(key, depth + 1)): _clean(each, depth + 1) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset) and depth < _DEEPEST:
        return [_clean(each, depth + 1) for each in value]
    text = str(value)
    cleaned = _PERSONAL.sub("***", text)
    return value if isinstance(value, int) and cleaned == text else cleaned


def _render(_logger: object, _method: str, event: Mapping[str, Any]) -> str:
    return orjson.dumps({"event": event.get("event"), **event}, option=orjson.OPT_PASSTHROUGH_DATACLASS).decode()
