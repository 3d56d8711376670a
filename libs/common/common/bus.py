"""NATS JetStream, as thin as can be: streams, atomic batches out, an open hand for what comes in.

The broker is a transport that may forget. Whoever publishes keeps the rows, whoever receives keeps an inbox.
"""

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, ConsumerInfo, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

from common import outbox
from common.errors import Unavailable
from common.telemetry import log

MAX_BATCH = 1000
MAX_AGE = timedelta(days=7)
DUPLICATE_WINDOW = timedelta(minutes=2)
# So long does a fact wait that a killed consumer held. A batch takes longer only while the database hangs, and then
# the inbox makes its second delivery harmless.
ACK_WAIT = timedelta(seconds=15)
MAX_ACK_PENDING = 1024

_TIMEOUT = 5.0
_EXPIRES = 10.0
_HEARTBEAT = 1.0
_SILENCE = 3.0
_NANO = 1_000_000_000


class BusUnavailable(Unavailable):
    """The broker is away."""


class StreamMissing(Exception):
    """No stream takes this subject: it was deleted, or never made."""


class PullBroken(Exception):
    """The broker stopped answering a pull, or the consumer is gone: bind anew."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message on its way out."""

    id: UUID
    subject: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Ack:
    """Where a letter stands in its stream; a duplicate stood there before."""

    stream: str
    seq: int
    duplicate: bool = False


class Bus:
    """One connection to the broker, which never gives up; if it closes all the same, `closed` tells."""

    def __init__(self, url: str, name: str, *, replicas: int = 1) -> None:
        self._url = url
        self._name = name
        self._replicas = replicas
        self._client = Client()
        self.closed = asyncio.Event()

    async def connect(self) -> None:
        """Wait for the broker as long as it takes."""
        self._client = await nats.connect(
            self._url,
            name=self._name,
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.5,
            connect_timeout=3,
            ping_interval=10,
            max_outstanding_pings=2,
            error_cb=_hear,
            disconnected_cb=self._say_gone,
            reconnected_cb=self._say_back,
            closed_cb=self._say_closed,
        )

    async def _say_gone(self) -> None:
        log.warning("bus.disconnected", service=self._name)
        # The client lets whoever asked wait for their time-out, though no answer can come any more.
        for answer in filter(lambda each: not each.done(), self._client._resp_map.values()):  # noqa: SLF001
            answer.set_exception(BusUnavailable())

    async def _say_back(self) -> None:
        log.warning("bus.reconnected", service=self._name)

    async def _say_closed(self) -> None:
        self.closed.set()

    async def ready(self) -> None:
        """Raise if the broker is away now."""
        if not self._client.is_connected:
            raise BusUnavailable

    async def close(self) -> None:
        """Send what is buffered, then leave."""
        if self._client.is_connected:
            with contextlib.suppress(NatsError, TimeoutError, asyncio.TimeoutError):
                await self._client.flush(2)
        # Options come with connecting, and a client that never did refuses to close.
        if self._client.options:
            await self._client.close()

    @property
    def _js(self) -> JetStreamContext:
        return self._client.jetstream(timeout=_TIMEOUT)

    async def ensure_stream(self, service: str) -> None:
        """Bring the service's own stream to its described state."""
        stream = outbox.stream_of(service)
        wanted = StreamConfig(
            name=stream,
            subjects=[f"evt.{service}.>"],
            retention=RetentionPolicy.LIMITS,
            storage=StorageType.FILE,
            max_age=MAX_AGE.total_seconds(),
            duplicate_window=DUPLICATE_WINDOW.total_seconds(),
            num_replicas=self._replicas,
            allow_atomic=True,
        )
        try:
            found = (await self._js.stream_info(stream)).config
        except NotFoundError:
            await self._js.add_stream(wanted)
            return
        if any(
            getattr(found, name) != getattr(wanted, name)
            for name in ("subjects", "max_age", "duplicate_window", "num_replicas", "allow_atomic")
        ):
            await self._js.update_stream(wanted)

    async def stream_state(self, stream: str) -> tuple[str, int]:
        """Say when the stream was made, and the last sequence it holds."""
        info = await self._js.stream_info(stream)
        return str(info.created), int(info.state.last_seq)

    async def publish_batch(self, letters: Sequence[Letter]) -> list[Ack | None]:
        """Publish all of them at once, or one by one where the broker refuses the batch; None did not get through."""
        # While the broker is away the client would buffer: then nobody could say what happened to the batch.
        await self.ready()
        if 1 < len(letters) <= MAX_BATCH:
            acks = await self._publish_atomically(letters)
            if acks is not None:
                return acks
        return await self._publish_singly(letters)

    async def _publish_atomically(self, letters: Sequence[Letter]) -> list[Ack | None] | None:
        # Three headers make a batch; only its last message is answered, with the last sequence.
        batch = self._client.new_inbox().rpartition(".")[2]
        for place, letter in enumerate(letters[:-1], 1):
            headers = {**letter.headers, "Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(place)}
            await self._client.publish(letter.subject, letter.body, headers=headers)
        last, end = letters[-1], {"Nats-Batch-Sequence": str(len(letters)), "Nats-Batch-Commit": "1"}
        headers = {**last.headers, "Nats-Batch-Id": batch, **end}
        try:
            reply = await self._client.request(last.subject, last.body, timeout=_TIMEOUT, headers=headers)
        except NoRespondersError as error:
            raise StreamMissing(last.subject) from error
        answer = json.loads(reply.data)
        if "error" in answer:
            # A letter that the stream holds already (10201) spoils the batch: the relay was cut off before it marked.
            log.info("bus.batch_refused", service=self._name, code=answer["error"].get("err_code"))
            return None
        first = int(answer["seq"]) - len(letters) + 1
        return [Ack(answer["stream"], first + place) for place in range(len(letters))]

    async def _publish_singly(self, letters: Sequence[Letter]) -> list[Ack | None]:
        acks: list[Ack | None] = []
        for letter in letters:
            try:
                headers = dict(letter.headers)
                reply = await self._client.request(letter.subject, letter.body, timeout=_TIMEOUT, headers=headers)
            except NoRespondersError as error:
                raise StreamMissing(letter.subject) from error
            answer = json.loads(reply.data)
            if "error" in answer:
                log.error("bus.letter_refused", service=self._name, code=answer["error"].get("err_code"))
                acks.append(None)
            else:
                acks.append(Ack(answer["stream"], int(answer["seq"]), bool(answer.get("duplicate"))))
        return acks

    async def kick(self, service: str) -> None:
        """Tell the service's relays that facts are waiting; nobody may be listening."""
        await self._client.publish(f"kick.{service}")

    async def on_kick(self, service: str, wake: Callable[[], None]) -> None:
        """Be woken by kicks."""

        async def heard(_message: Msg) -> None:
            wake()

        await self._client.subscribe(f"kick.{service}", cb=heard)

    async def bind(self, stream: str, durable: str, subject: str) -> "Pull | None":
        """Make the durable consumer if it is not there, and open a hand for it; None while there is no stream."""
        config = ConsumerConfig(
            durable_name=durable,
            filter_subject=subject,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=ACK_WAIT.total_seconds(),
            # We count ourselves: a message that the broker gives up stays in the stream unseen.
            max_deliver=-1,
            max_ack_pending=MAX_ACK_PENDING,
        )
        try:
            await self._js.add_consumer(stream, config)
        except NotFoundError:
            return None
        return await Pull(self._client, stream, durable).open()

    async def consumer(self, stream: str, durable: str) -> ConsumerInfo:
        """Say how far a consumer is."""
        return cast("ConsumerInfo", await self._js.consumer_info(stream, durable))

    async def forget(self, stream: str, durable: str) -> None:
        """Delete a consumer: bound anew it starts from the beginning, and the inbox sorts out what is old."""
        await self._js.delete_consumer(stream, durable)


class Pull:
    """A pull consumer's open hand. nats-py's `fetch` sends two requests and may sit out its time-out on the second."""

    def __init__(self, client: Client, stream: str, durable: str) -> None:
        self._client = client
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"
        self._inbox = client.new_inbox()
        self._arrived: asyncio.Queue[Msg] = asyncio.Queue()
        self._outstanding = 0
        self._subscription: Any = None

    async def open(self) -> "Pull":
        self._subscription = await self._client.subscribe(self._inbox, cb=self._arrived.put)
        return self

    async def close(self) -> None:
        """Give back what nobody will handle any more."""
        while not self._arrived.empty():
            message = self._arrived.get_nowait()
            if message.reply and not _status(message):
                await message.nak()
        with contextlib.suppress(NatsError):
            await self._subscription.unsubscribe()

    async def fetch(self, batch: int) -> list[Msg]:
        """Wait for messages, and take those that are there; nothing within the time gives an empty list."""
        if self._outstanding == 0 and self._arrived.empty():
            ask = {"batch": batch, "expires": int(_EXPIRES * _NANO), "idle_heartbeat": int(_HEARTBEAT * _NANO)}
            await self._client.publish(self._subject, json.dumps(ask).encode(), reply=self._inbox)
            self._outstanding = batch
        messages: list[Msg] = []
        while not messages:
            try:
                arrived = await asyncio.wait_for(self._arrived.get(), _SILENCE)
            except TimeoutError as error:
                raise PullBroken("silence") from error
            if not self._take(arrived, messages):
                return []
        while len(messages) < batch and not self._arrived.empty():
            self._take(self._arrived.get_nowait(), messages)
        return messages

    def _take(self, arrived: Msg, messages: list[Msg]) -> bool:
        """Keep a message; say False at the end of the request."""
        match _status(arrived):
            case "":
                self._outstanding = max(0, self._outstanding - 1)
                messages.append(arrived)
            case "100":
                pass
            case "404" | "408":
                self._outstanding = 0
                return False
            case status:
                raise PullBroken(status)
        return True


def _status(message: Msg) -> str:
    return (message.headers or {}).get("Status", "") if not message.data else ""


async def _hear(error: Exception) -> None:
    log.warning("bus.error", error=type(error).__name__)
