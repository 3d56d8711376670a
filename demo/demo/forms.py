"""What a page asks for: its forms, read as a browser reads them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Form:
    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.said: list[str] = []
        self._open: Form | None = None
        self._alert: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(has.get("action", ""), has.get("method", "get").lower())
            self.forms.append(self._open)
        elif tag == "input" and self._open is not None and has.get("name"):
            ticked = has.get("type") not in ("checkbox", "radio") or "checked" in has
            if ticked:
                self._open.fields[has["name"]] = has.get("value", "")
        elif "alert" in has.get("role", "") or "error" in has.get("id", ""):
            self._alert = tag

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        if tag == self._alert:
            self._alert = None

    def handle_data(self, data: str) -> None:
        if self._alert and data.strip():
            self.said.append(data.strip())


def forms(page: str) -> list[Form]:
    reader = _Reader()
    reader.feed(page)
    return reader.forms


def complaints(page: str) -> str:
    """What the page says went wrong."""
    reader = _Reader()
    reader.feed(page)
    return " ".join(reader.said)
