"""Listens to requests on the wire: what two readers would read differently, what has no end and who dawdles is cut."""

import asyncio
import resource
from collections import OrderedDict
from weakref import WeakKeyDictionary

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

# above what the doors themselves refuse with a reason
HEAD_LIMIT = 64 * 1024
HEAD_WITHIN = 15.0
# a body may come slowly, as from a phone in a lift: this many bytes a second, after a while
GRACE = 20.0
SLOWEST = 1024
LOOK = 2.5
# more than this many connections are not kept open, nor more than this share of the files that a process may open
MOST = 8_192
SHARE = 0.75


# whom nothing is being answered, the longest silent first
_silent: WeakKeyDictionary[ServerState, OrderedDict["Listener", None]] = WeakKeyDictionary()


class Ambiguous(ValueError):
    """Another reader might see another end of this request, or another house that it is meant for."""


class Listener(HttpToolsProtocol):
    """One connection. Nothing is held open for whoever sends nothing, and no head is longer than any of ours."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to listen, and to look whether anything comes."""
        super().connection_made(transport)
        self._in_head, self._in_body = True, False
        self._since = self.loop.time()
        self._taken = 0
        self._watch = self.loop.call_later(LOOK, self._look)
        self._others = _silent.setdefault(self.server_state, OrderedDict())
        self._fall_silent()
        if len(self.connections) > room():
            # whoever has something to say says it at once: who has been silent longest makes room
            longest, _ = self._others.popitem(last=False)
            longest.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop looking."""
        self._watch.cancel()
        self._others.pop(self, None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, unless a head has grown too long."""
        self._taken += len(data)
        super().data_received(data)
        if self._in_head and self._taken > HEAD_LIMIT:
            self.transport.abort()

    def on_message_begin(self) -> None:
        """Begin a head."""
        super().on_message_begin()
        self._enter(head=True, body=False)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; a transfer is chunked, said once, or not encoded at all."""
        if name.lower() == b"transfer-encoding" and (
            value.lower() != b"chunked" or any(each == b"transfer-encoding" for each, _ in self.headers)
        ):
            raise Ambiguous
        if b"\r" in value or b"\n" in value:
            raise Ambiguous
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """End the head; it names one host, as RFC 9112 3.2 asks."""
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (not hosts and self.parser.get_http_version() == "1.1"):
            raise Ambiguous
        self._enter(head=False, body=True)
        self._others.pop(self, None)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End the request: from now on it is our turn."""
        self._enter(head=False, body=False)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """End the answer; unless another request waits behind it, nothing is being done here any more."""
        super().on_response_complete()
        if self.cycle.response_complete and not self.transport.is_closing():
            self._fall_silent()

    def _fall_silent(self) -> None:
        self._others[self] = None
        self._others.move_to_end(self)

    def _enter(self, *, head: bool, body: bool) -> None:
        self._in_head, self._in_body = head, body
        self._since = self.loop.time()
        self._taken = 0

    def _look(self) -> None:
        waited = self.loop.time() - self._since
        dawdles = self._in_head and waited > HEAD_WITHIN
        # while we do not read, the other side cannot send
        drips = self._in_body and not self.flow.read_paused and self._taken < (waited - GRACE) * SLOWEST
        if dawdles or drips:
            self.transport.abort()
        else:
            self._watch = self.loop.call_later(LOOK, self._look)


def room() -> int:
    """How many connections may be open at once."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if files == resource.RLIM_INFINITY else min(MOST, int(files * SHARE))
