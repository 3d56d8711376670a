"""The hub: what browsers that are open on this replica are told, and when."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from common.auth import Actor, system
from common.bus import Bus
from common.errors import TooMany, Unavailable
from common.telemetry import log
from prometheus_client import Gauge

from workbench.domain.message import Delivery, Place
from workbench.domain.todo_list import Counts
from workbench.store import Store
from workbench.usecases import messages as verbs

STREAM = "workbench.stream"  # whoever commits kicks every replica under this name

MOST_TABS = 16  # of one reader on one replica
_QUEUE = 256
_PAGE = 50  # less than a queue holds, or one look would fill it
_PACE = 0.1  # seconds: however many commits there are, nobody is looked for more often
_POLL = 3.0  # seconds: a kick may be lost

TABS = Gauge("workbench_tabs", "Browsers' streams that are open.")


class TooManyTabs(TooMany):
    """One reader keeps too many streams open."""


@dataclass(frozen=True, slots=True)
class News:
    """What one event of a stream tells: a message that came, or the counts as they are now."""

    delivery: Delivery | None = None
    unread: int = 0
    todos: Counts | None = None


@dataclass(slots=True, eq=False)
class Tab:
    """One open stream. Whoever reads too slowly to keep its queue from filling is let go, and comes back."""

    queue: asyncio.Queue[News] = field(default_factory=lambda: asyncio.Queue(_QUEUE))
    is_lost: bool = False

    def put(self, news: News) -> None:
        try:
            self.queue.put_nowait(news)
        except asyncio.QueueFull:
            self.is_lost = True


@dataclass(slots=True, eq=False)
class Reader:
    """A citizen, or the post of an officer, with all tabs that are open; each thing is looked up once for all."""

    actor: Actor
    place: Place
    tabs: set[Tab] = field(default_factory=set)
    counts: tuple[int, Counts | None] | None = None

    def put(self, news: News) -> None:
        for tab in self.tabs:
            tab.put(news)


class Hub:
    """Looks for what is new when it is woken, and hands it to every tab."""

    def __init__(self, store: Store, bus: Bus) -> None:
        self._store = store
        self._bus = bus
        self._readers: dict[str, Reader] = {}
        self._woken = asyncio.Event()

    async def news(self, tab: Tab, actor: Actor, last_event_id: str) -> AsyncGenerator[tuple[Place, News]]:
        """Tell a tab what it missed since its last event, the counts, and from then on what comes; never ends."""
        async with self._store.begin(actor) as tx:
            now = await verbs.find_place(tx)
        reader = self._join(tab, actor, now)
        place = now.resumed(last_event_id) if last_event_id else now
        try:
            missed = True
            while missed:
                async with self._store.begin(actor) as tx:
                    missed_ones = await verbs.list_since(tx, place, most=_PAGE)
                    counts = await verbs.count_for_stream(tx)
                for delivery in missed_ones:
                    place = place.after(delivery)
                    yield place, News(delivery)
                missed = len(missed_ones) == _PAGE
            yield place, News(None, *counts)
            while not tab.is_lost or not tab.queue.empty():
                news = await tab.queue.get()
                if news.delivery is not None:
                    if place.passed(news.delivery):
                        continue
                    place = place.after(news.delivery)
                elif (news.unread, news.todos) == counts:
                    continue
                else:
                    counts = (news.unread, news.todos)
                yield place, news
        finally:
            self._leave(tab, reader)

    @property
    def tabs(self) -> int:
        """Count the tabs that are open here."""
        return sum(len(reader.tabs) for reader in self._readers.values())

    def check_room(self, actor: Actor) -> None:
        """Refuse a reader who keeps too many streams open."""
        reader = self._readers.get(verbs.mailboxes_of(actor)[0])
        if reader is not None and len(reader.tabs) >= MOST_TABS:
            raise TooManyTabs(most=MOST_TABS)

    def _join(self, tab: Tab, actor: Actor, now: Place) -> Reader:
        name = now.mailboxes[0]
        reader = self._readers.get(name)
        if reader is None or reader.place.mailboxes != now.mailboxes:
            reader = self._readers[name] = Reader(actor, now)
        reader.tabs.add(tab)
        TABS.inc()
        return reader

    def _leave(self, tab: Tab, reader: Reader) -> None:
        reader.tabs.discard(tab)
        TABS.dec()
        name = reader.place.mailboxes[0]
        if not reader.tabs and self._readers.get(name) is reader:
            del self._readers[name]

    async def run(self) -> None:
        """Look for news whenever somebody committed any, for as long as the process lives."""
        listening = False
        while True:
            if not listening:
                listening = await self._listen()
            try:
                async with asyncio.timeout(_POLL if listening else 0.5):
                    await self._woken.wait()
                    await asyncio.sleep(_PACE)
            except TimeoutError:
                pass
            self._woken.clear()
            try:
                await self._look()
            except Exception as error:  # noqa: BLE001 - what is away comes back; nothing was passed over
                log.warning("workbench.look", exc_info=error)
                await asyncio.sleep(1)

    async def _listen(self) -> bool:
        try:
            await self._bus.ready()
        except Unavailable:
            return False
        await self._bus.on_kick(STREAM, self._woken.set)
        return True

    async def _look(self) -> None:
        """Hand every reader what came to its mailboxes, and its counts where they changed."""
        if not self._readers:
            return
        boxes = {box for reader in self._readers.values() for box in reader.place.mailboxes}
        async with self._store.begin(system("workbench", route="look")) as tx:
            heads = await tx.messages.heads(sorted(boxes))
        for reader in list(self._readers.values()):
            behind = any(
                heads.get(box, 0) > seq for box, seq in zip(reader.place.mailboxes, reader.place.seqs, strict=True)
            )
            await self._tell(reader, behind=behind)

    async def _tell(self, reader: Reader, *, behind: bool) -> None:
        async with self._store.begin(reader.actor) as tx:
            came = await verbs.list_since(tx, reader.place, most=_PAGE) if behind else []
            counts = await verbs.count_for_stream(tx)
        for delivery in came:
            reader.place = reader.place.after(delivery)
            reader.put(News(delivery))
        if counts != reader.counts:
            reader.counts = counts
            reader.put(News(None, *counts))
        if len(came) == _PAGE:
            self._woken.set()
