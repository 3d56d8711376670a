"""Apps: registered by their department, approved and suspended by the platform, given to who calls them."""

import json
from datetime import UTC, datetime

import pytest
from common import rpc
from common.errors import RemoteRefusal
from hypothesis import given
from hypothesis import strategies as st
from tongban.workbench.v1 import app_pb2, app_service_pb2, app_service_pb2_grpc
from workbench.domain.app import AddressRules, AddressUnsafe, refuse_unsafe

from .apps import a_key, an_app, without_code

APP = "/v1/apps/vaccination"


async def registered(office, **changes):
    app = an_app(**changes)
    answer = await office.ask("POST", "/v1/apps", "cdc", app)
    assert answer.status_code == 200, answer.text
    return app


async def test_an_app_is_registered_approved_and_suspended(office, facts, rows):
    app = await registered(office)
    assert (await office.ask("GET", APP, "cdc")).json()["state"] == "draft"
    assert (await office.ask("POST", f"{APP}:suspend", "platform")).json()["reason"] == "APP_NOT_APPROVED"
    for _ in range(2):
        approved = (await office.ask("POST", f"{APP}:approve", "platform")).json()
        assert (approved["state"], approved["version"]) == ("approved", 2)
    # The same again is the app as it stands now.
    again = await office.ask("POST", "/v1/apps", "cdc", app)
    assert (again.status_code, again.json()["state"]) == (200, "approved")
    for _ in range(2):
        assert (await office.ask("POST", f"{APP}:suspend", "platform")).json()["state"] == "suspended"
    for name, version in (("AppChanged", 1), ("AppApproved", 2), ("AppSuspended", 3)):
        (fact,) = await facts(name)
        assert (fact.code, fact.version) == ("vaccination", version)
    acts = [row["act"] for row in await rows("SELECT act FROM journal WHERE subject_kind = 'app' ORDER BY at, id")]
    assert acts == ["workbench.register_app", "workbench.approve_app", "workbench.suspend_app"]
    assert b"0533" not in (await rows("SELECT contact FROM apps"))[0]["contact"]


@pytest.mark.parametrize("key_id", ["-thumb_print", "_", "K" * 64])
async def test_a_key_may_be_named_by_its_thumbprint(office, key_id):
    app = await registered(office)
    answer = await office.ask("PUT", APP, "cdc", without_code(app | {"keys": [a_key(key_id)]}))
    assert (answer.status_code, answer.json()["keys"][0]["key_id"]) == (200, key_id)


async def test_a_new_key_keeps_the_approval_and_a_new_address_does_not(office, facts):
    app = await registered(office)
    await office.ask("POST", f"{APP}:approve", "platform")
    rotated = app | {"keys": [*app["keys"], a_key("k2", kind="Ed25519")]}
    answer = (await office.ask("PUT", APP, "cdc", without_code(rotated))).json()
    assert (answer["state"], [key["key_id"] for key in answer["keys"]]) == ("approved", ["k1", "k2"])
    moved = rotated | {"address": "https://elsewhere.example.cn"}
    assert (await office.ask("PUT", APP, "cdc", without_code(moved))).json()["state"] == "draft"
    assert (await office.ask("PUT", APP, "cdc", without_code(moved))).json()["version"] == 4
    assert [fact.version for fact in await facts("AppChanged")] == [1, 3, 4]


EXPIRED = a_key("k3", valid_until="2026-01-02T00:00:00+08:00")
PRIVATE = a_key()
PRIVATE["jwk"]["d"] = PRIVATE["jwk"]["x"]
OFF_CURVE = a_key()
OFF_CURVE["jwk"]["y"] = OFF_CURVE["jwk"]["x"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"address": "http://vaccination.example.cn"}, "ADDRESS_UNSAFE"),
        ({"address": "https://user:secret@example.cn"}, "ADDRESS_UNSAFE"),
        ({"address": "https://example.cn/?to=x"}, "ADDRESS_UNSAFE"),
        ({"address": "ftp://example.cn"}, "ADDRESS_UNSAFE"),
        ({"address": "https://example.cn:99999"}, "ADDRESS_UNSAFE"),
        ({"keys": [EXPIRED]}, "KEYS_UNFIT"),
        ({"keys": [a_key("a"), a_key("b"), a_key("c")]}, "KEYS_UNFIT"),
        ({"keys": [a_key("a"), a_key("a")]}, "KEYS_UNFIT"),
        ({"keys": [PRIVATE]}, "KEYS_UNFIT"),
        ({"keys": [OFF_CURVE]}, "KEYS_UNFIT"),
        ({"keys": [a_key() | {"jwk": {"kty": "RSA"}}]}, "KEYS_UNFIT"),
        ({"org_path": "zibo.zhangdian.police"}, "APP_OF_ANOTHER"),
        ({"keys": []}, "REQUEST_INVALID"),
        ({"items": []}, "REQUEST_INVALID"),
        ({"code": "Vaccination"}, "REQUEST_INVALID"),
    ],
)
async def test_what_is_unfit_is_refused_without_effect(office, rows, change, reason):
    answer = await office.ask("POST", "/v1/apps", "cdc", an_app(**change))
    assert (answer.status_code in {403, 422}, answer.json()["reason"]) == (True, reason)
    assert await rows("SELECT 1 FROM apps") == []


async def test_a_code_and_a_client_are_one_apps(office):
    await registered(office)
    for change in ({"code": "other"}, {"client_id": "department-other"}, {"name": "另一个"}):
        answer = await office.ask("POST", "/v1/apps", "cdc", an_app(**change))
        assert (answer.status_code, answer.json()["reason"]) == (409, "APP_EXISTS")
    await office.ask("POST", "/v1/apps", "cdc", an_app(code="other", client_id="department-other"))
    stolen = without_code(an_app(code="other"))
    assert (await office.ask("PUT", "/v1/apps/other", "cdc", stolen)).json()["reason"] == "APP_EXISTS"


async def test_another_department_sees_nothing(office):
    await registered(office)
    assert [each["code"] for each in (await office.ask("GET", "/v1/apps", "platform")).json()["items"]] == [
        "vaccination"
    ]
    assert (await office.ask("GET", "/v1/apps/other", "cdc")).json()["reason"] == "APP_NOT_FOUND"


async def test_the_registry_is_given_to_services(office):
    app = await registered(office)
    await office.ask("POST", f"{APP}:approve", "platform")
    token = office.issuer.token("gov", service="orchestration", aud="workbench", roles=["workbench:read_app"])
    async with office.living.channel() as channel:
        stub = app_service_pb2_grpc.AppServiceStub(channel)
        asked = app_service_pb2.GetAppsRequest(codes=["vaccination", "unknown"])
        (found,) = (await rpc.call(stub.GetApps, asked, token=token)).apps
        assert (found.code, found.address, found.client_id) == ("vaccination", app["address"], app["client_id"])
        assert (found.state, list(found.items)) == (app_pb2.APP_STATE_APPROVED, ["vaccination_certificate"])
        assert json.loads(found.keys[0].jwk) == app["keys"][0]["jwk"]
        assert found.keys[0].valid_until.ToDatetime(UTC) == datetime(2098, 12, 31, 16, tzinfo=UTC)
        with pytest.raises(RemoteRefusal) as refused:
            await rpc.call(stub.GetApps, app_service_pb2.GetAppsRequest(codes=["X"]), token=token)
        assert refused.value.reason == "CODES_UNFIT"
        with pytest.raises(RemoteRefusal) as refused:
            await rpc.call(stub.GetApps, asked, token=office.officer("platform"))
        assert refused.value.reason == "CALLER_NOT_ALLOWED"


@given(st.text(max_size=60))
def test_no_text_is_a_safe_address_by_accident(text):
    with pytest.raises(AddressUnsafe):
        refuse_unsafe(f"http://{text}", AddressRules())


@pytest.mark.parametrize(
    ("address", "loopback", "safe"),
    [
        ("http://127.0.0.1:8080", True, True),
        ("http://localhost:8080/app", True, True),
        ("http://127.0.0.1:8080", False, False),
        ("https://127.0.0.1", False, False),
        ("http://127.0.0.1.example.cn", True, False),
        ("https://example.cn/a/b", False, True),
        ("https://example.cn@127.0.0.1", True, False),
    ],
)
def test_the_loopback_is_for_developers(address, loopback, safe):
    rules = AddressRules(loopback=loopback)
    if safe:
        refuse_unsafe(address, rules)
    else:
        with pytest.raises(AddressUnsafe):
            refuse_unsafe(address, rules)
