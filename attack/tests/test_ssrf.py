"""Every address that somebody can give: which the house takes at all.

Where a taken name leads is looked at each time it is called (services/orchestration/tests/test_app_calls.py).
"""

import asyncio
import re
import time

import pytest
from attack.cases import operations
from demo.people import Sessions
from demo.settings import Settings as DemoSettings

from attack import leaks
from demo import city

# what a field is called that takes an address
ADDRESS = re.compile(r"addr|url|uri|link|href|callback|host|domain|endpoint|webhook|icon|image|logo|return_to|redirect")
# the one that we call, and what is not called: where people live, and a key that says where its like are
CALLED = {("POST /api/workbench/v1/apps", "address"), ("PUT /api/workbench/v1/apps/{code}", "address")}

UNSAFE = [
    # other schemes, and none
    "ftp://example.cn", "file:///etc/passwd", "gopher://127.0.0.1:6379/_FLUSHALL", "dict://example.cn:11211/",
    "//example.cn", "example.cn", "javascript:alert(1)", "data:text/plain,x", "http:/example.cn", "https:example.cn", "HTTPS://EXAMPLE.CN",
    # not encrypted
    "http://example.cn", "http://10.0.0.1", "http://169.254.169.254/latest/meta-data", "http://[fd00::1]",
    # somebody else's name before the host, or behind it
    "https://user@example.cn", "https://user:secret@example.cn", "https://example.cn@127.0.0.1", "https://example.cn#@127.0.0.1",
    "https://example.cn\\@127.0.0.1", "https://127.0.0.1\\.example.cn", "https://example.cn%40127.0.0.1",
    "https://a,127.0.0.1",
    # questions, fragments, ways up, and what is spelt by numbers
    "https://example.cn/?to=http://127.0.0.1", "https://example.cn/#x", "https://example.cn/%2e%2e/x",
    "https://example.cn/a b",
    "https://example.cn/\r\nHost: 127.0.0.1", "https://example.cn\t", " https://example.cn", "https://example.cn\x00",
    # ports that are none
    "https://example.cn:0x50", "https://example.cn:99999", "https://example.cn:", "https://example.cn:-1", "https://example.cn:443:80",
    # zones, brackets and letters that look like others
    "https://[fe80::1%25eth0]", "https://[::1", "https://::1", "https://[v1.x]", "https://ｅxample.cn", "https://①②⑦.0.0.1",
    "https://example。cn", "https://exa\u00admple.cn", "https://127.0.0.1\u2024example.cn",
]  # fmt: skip


@pytest.fixture(scope="module")
async def keeper(everybody):
    assert everybody, "the city is loaded"
    async with Sessions(DemoSettings()) as opened:
        yield await opened.of("health")


def fields(document, schema, path=""):
    """The names of all text fields of a body."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for inner in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        yield from fields(document, inner, path)
    for name, inner in schema.get("properties", {}).items():
        yield from fields(document, inner, f"{path}.{name}".lstrip("."))
    if "items" in schema:
        yield from fields(document, schema["items"], f"{path}[]")
    if schema.get("type") == "string":
        yield path


def test_every_field_that_takes_an_address_is_known(document):
    """A new one is asked the same, or is told here to be never called."""
    found = set()
    for operation in operations(document):
        raw = operation.definition.raw
        names = [each["name"] for each in raw.get("parameters", ())]
        for content in raw.get("requestBody", {}).get("content", {}).values():
            names += fields(document, content["schema"])
        found |= {(operation.label, name) for name in names if ADDRESS.search(name.rpartition(".")[2].lower())}
    assert found == CALLED


def an_app(address):
    officer = city.employee("health")
    office = city.organisation(officer["org_path"])
    serial = time.monotonic_ns()
    key = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    return {
        "code": f"ssrf_{serial}",
        "name": "测试系统",
        "org_id": office["org_id"],
        "org_path": office["org_path"],
        "region_code": office["region_code"],
        "contact": "信息科",
        "address": address,
        "client_id": f"department-ssrf-{serial}",
        "items": ["birth_certificate"],
        "keys": [
            {"key_id": "k1", "jwk": key, "valid_from": "2026-01-01T00:00:00Z", "valid_until": "2098-12-31T00:00:00Z"}
        ],
    }


@pytest.mark.parametrize("address", UNSAFE)
async def test_no_unsafe_address_is_taken(keeper, address):
    app = an_app(address)
    answer = await leaks.unhurried(keeper, "POST", "workbench/v1/apps", app)
    assert (answer.status_code, answer.json()["reason"]) in {
        (422, "ADDRESS_UNSAFE"),
        (422, "REQUEST_INVALID"),
        (400, "REQUEST_UNREADABLE"),
    }
    assert (await leaks.unhurried(keeper, "GET", f"workbench/v1/apps/{app['code']}")).status_code == 404


async def test_a_safe_address_may_not_be_changed_for_an_unsafe_one(keeper):
    app = an_app("https://example.cn/cases")
    assert (await leaks.unhurried(keeper, "POST", "workbench/v1/apps", app)).is_success
    path = f"workbench/v1/apps/{app.pop('code')}"
    for address in ("http://example.cn", "https://example.cn@127.0.0.1", "file:///etc/passwd"):
        answer = await leaks.unhurried(keeper, "PUT", path, app | {"address": address})
        assert (answer.status_code, answer.json()["reason"]) == (422, "ADDRESS_UNSAFE")
    assert (await leaks.unhurried(keeper, "GET", path)).json()["address"] == "https://example.cn/cases"


async def log_in(keeper, face, asked):
    """Begin a log-in; again when strangers have been too fast."""
    while True:
        url, params = f"{keeper.public_url}/{face}/auth/login", {"return_to": asked}
        answer = await keeper.http.get(url, params=params, follow_redirects=False)
        if answer.status_code != leaks.TOO_MANY:
            return answer
        await asyncio.sleep(float(answer.headers["Retry-After"]))


@pytest.mark.parametrize("face", ["citizen", "workbench"])
@pytest.mark.parametrize("asked", [*UNSAFE, "/", "//example.cn/", "/\\example.cn", "/citizen/../..//example.cn"])
async def test_log_in_leads_back_to_our_own_pages_alone(keeper, face, asked):
    """What was asked for is kept with the log-in, so the way to Keycloak does not carry it."""
    answer = await log_in(keeper, face, asked)
    location = answer.headers["Location"]
    assert location.startswith((f"{DemoSettings().keycloak_url}/realms/", f"{keeper.public_url}/{face}/"))
    assert "example" not in location
