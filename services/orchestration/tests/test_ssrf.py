"""However an address is spelt, and whatever a name says a moment later: no call goes to where no app may be."""

import asyncio
import ipaddress
import socket
from contextlib import asynccontextmanager

import pytest
from joserfc.jwk import ECKey
from orchestration.clients.departments import Departments, Places
from orchestration.clients.signatures import Signer
from orchestration.domain.registered import RegisteredApp

from .department import APP, CLIENT

# 127.0.0.1 and the metadata service, as an old resolver reads them
SPELLINGS = (
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "0177.1",
    "127.0.0.1.", "localhost", "localhost.", "0.0.0.0", "0", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]", "[::127.0.0.1]", "2852039166", "0xa9fea9fe", "169.254.169.254", "0251.0376.0251.0376",
)  # fmt: skip
# private, shared, reserved, many at once, and IPv6 that a router turns into IPv4
FORBIDDEN = (
    "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1", "169.254.169.254", "192.0.0.1",
    "198.18.0.1", "192.0.2.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "0.0.0.0",
    "fd00::1", "fe80::1", "fec0::1", "ff02::1", "::", "2001:db8::1", "64:ff9b::a00:1", "64:ff9b::7f00:1",
    "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a00:1::", "2002:c0a8:1::1", "2001:0:7f00:1::", "::a00:1",
    "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1", "::ffff:0:10.0.0.1", "100::1", "5f00::1",
)  # fmt: skip


@asynccontextmanager
async def listening():
    """Somebody on the loopback who counts who comes."""
    came = []

    async def come(_reader, writer):
        came.append(writer.get_extra_info("sockname"))
        writer.close()

    server = await asyncio.start_server(come, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], came


@asynccontextmanager
async def departments(clock, *, loopback=False):
    signer = Signer(ECKey.generate_key("P-256").as_pem(private=True).decode())
    made = Departments(signer, Places(loopback=loopback), clock)
    try:
        yield made
    finally:
        await made.close()


def app_at(address):
    return RegisteredApp(APP, "zibo", address, CLIENT, frozenset(), (), is_approved=True)


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_no_spelling_of_the_loopback_is_called(clock, spelling):
    async with listening() as (port, came), departments(clock) as calling:
        error = (await calling.ask(app_at(f"https://{spelling}:{port}"), "x")).error
        assert error in {"APP_ADDRESS_FORBIDDEN", "APP_UNREACHED"}
        assert came == []


@pytest.mark.parametrize("address", FORBIDDEN)
def test_no_app_is_in_a_network_that_is_not_public(address):
    assert not Places(loopback=True)._allows(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2400:3200::1", "::ffff:8.8.8.8"])
def test_an_app_may_be_anywhere_public(address):
    assert Places()._allows(ipaddress.ip_address(address))


def resolving(monkeypatch, *answers):
    """Let every name lead to the next of these answers; tells how often it was asked."""
    asked = []

    async def getaddrinfo(host, port, **_more):
        asked.append(host)
        found = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    return asked


async def test_a_name_is_asked_once_and_the_call_goes_where_it_was_looked_at(clock, monkeypatch):
    """A name that leads elsewhere a moment later (DNS rebinding) is not asked again."""
    async with listening() as (port, came), departments(clock, loopback=True) as calling:
        asked = resolving(monkeypatch, ["127.0.0.1"], ["10.0.0.1"])
        await calling.ask(app_at(f"http://rebinding.example:{port}"), "x")
        assert asked == ["rebinding.example"]
        assert [each[0] for each in came] == ["127.0.0.1"]
        assert (await calling.ask(app_at(f"http://rebinding.example:{port}"), "x")).error == "APP_ADDRESS_FORBIDDEN"
        assert len(came) == 1


async def test_one_forbidden_address_among_good_ones_is_enough(clock, monkeypatch):
    async with departments(clock) as calling:
        for found in (["8.8.8.8", "127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["::ffff:10.0.0.1"]):
            resolving(monkeypatch, found)
            assert (await calling.ask(app_at("https://both.example"), "x")).error == "APP_ADDRESS_FORBIDDEN"
