"""The few pages of the front door itself (静态页面), until the faces have pages of their own."""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from string import Template
from typing import Any

_HERE = Path(__file__).parent
_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}

type Page = tuple[bytes, str]


def read(name: str) -> Page:
    """A page as it is, with its content type."""
    file = _HERE / name
    return file.read_bytes(), _KINDS[file.suffix]


def notice(*, sentence: str, reason: str, trace_id: str, link: str) -> Page:
    """Say that a log-in did not succeed, and where to try again."""
    return _said("notice.html", sentence=sentence, reason=reason, trace_id=trace_id, link=link)


def lost(*, reason: str, trace_id: str) -> Page:
    """Say that nothing is at this address, and where people find in again."""
    return _said("lost.html", reason=reason, trace_id=trace_id)


def closed(*, sentence: str, reason: str, trace_id: str) -> Page:
    """Say that a page cannot be shown now, and why."""
    return _said("closed.html", sentence=sentence, reason=reason, trace_id=trace_id)


def docs(document: Mapping[str, Any]) -> Page:
    """List all verbs of the merged OpenAPI document."""
    lines = [
        f"<li><code>{escape(verb.upper())} {escape(path)}</code> {escape(operation.get('summary', ''))}</li>"
        for path, item in sorted(document["paths"].items())
        for verb, operation in item.items()
        if isinstance(operation, dict)
    ]
    return _filled("docs.html", {"list": f"<ul>{''.join(lines)}</ul>"})


def _said(name: str, **said: str) -> Page:
    return _filled(name, {each: escape(value) for each, value in said.items()})


def _filled(name: str, values: Mapping[str, str]) -> Page:
    text, kind = read(name)
    return Template(text.decode()).substitute(values).encode(), kind
