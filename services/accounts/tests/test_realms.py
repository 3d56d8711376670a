"""The realms on a real Keycloak: brought to their described state, held there, and what their tokens say."""

import base64
import json
from secrets import token_urlsafe

import httpx
import pytest
from accounts import main
from accounts.clients.keycloak import Administration, differing, merged
from accounts.domain.realms import ClientSecretMissing, Surroundings, wanted
from accounts.settings import Settings
from accounts.usecases.realms import DESCRIPTIONS, one_time_seed, reconcile_realms
from keycloak import KeycloakAdmin, KeycloakOpenIDConnection
from keycloak.exceptions import KeycloakPutError

SURVIVOR = "00000000-0000-7000-8000-000000000399"
PLACE = Surroundings(public_url="http://localhost:1", gateway_keys="{}", client_secrets={})


@pytest.fixture(scope="module")
def surroundings():
    """What the run has told us, as `reconcile` reads it."""
    return Settings()


@pytest.fixture(scope="module")
async def bring(surroundings):
    """Bring the realms to their state; tells what was changed."""

    def plain(of):
        return {name: secret.get_secret_value() for name, secret in of.items()}

    async def run(*, demo=True):
        place = Surroundings(
            public_url=surroundings.public_url,
            gateway_keys=surroundings.gateway_client_jwks,
            client_secrets=plain(surroundings.client_secrets),
            demo=demo,
        )
        secrets = plain(surroundings.demo_secrets)
        secret = surroundings.keycloak_admin_secret.get_secret_value()
        async with Administration(surroundings.keycloak_url, surroundings.keycloak_admin_client, secret) as keycloak:
            return await reconcile_realms(keycloak, place, people=surroundings.demo_people, demo_secrets=secrets)

    await run()
    return run


@pytest.fixture
async def gov(surroundings):
    """An administrator of the realm, who changes things by hand."""
    connection = KeycloakOpenIDConnection(
        server_url=surroundings.keycloak_url,
        realm_name="gov",
        user_realm_name="master",
        client_id=surroundings.keycloak_admin_client,
        client_secret_key=surroundings.keycloak_admin_secret.get_secret_value(),
    )
    yield KeycloakAdmin(connection=connection)
    await connection.aclose()
    await connection.keycloak_openid.connection.aclose()


async def test_a_second_run_changes_nothing(bring):
    assert await bring() == []


async def test_what_was_changed_by_hand_is_put_back(bring, gov):
    gateway = await gov.a_get_client_id("gateway")
    await gov.a_update_realm("gov", {"realm": "gov", "bruteForceProtected": False, "accessTokenLifespan": 86400})
    await gov.a_update_client(
        gateway, {"clientId": "gateway", "redirectUris": ["*"], "directAccessGrantsEnabled": True}
    )
    scope = next(each for each in await gov.a_get_client_scopes() if each["name"] == "aud-accounts")
    mapper = scope["protocolMappers"][0]
    config = mapper["config"] | {"included.custom.audience": "account"}
    await gov.a_update_mapper_in_client_scope(scope["id"], mapper["id"], mapper | {"config": config})
    profile = await gov.a_get_realm_users_profile()
    await gov.a_update_realm_users_profile(profile | {"unmanagedAttributePolicy": "ENABLED"})
    assert sorted(await bring()) == [
        "gov: client gateway: directAccessGrantsEnabled, redirectUris changed",
        "gov: client scope aud-accounts: mapper aud-accounts: config.included.custom.audience changed",
        "gov: realm: accessTokenLifespan, bruteForceProtected changed",
        "gov: user profile: unmanagedAttributePolicy changed",
    ]
    assert await bring() == []


async def test_texts_are_put_back(bring, gov):
    path = "admin/realms/gov/localization/zh-Hans"
    answer = await gov.connection.a_raw_post(path, data='{"loginOtpOneTime": "别的"}')
    assert answer.status_code == 204, answer.text
    assert await bring() == ["gov: texts zh-Hans: loginOtpOneTime changed"]
    assert await bring() == []


async def test_a_weakened_log_in_is_built_anew(bring, gov):
    executions = await gov.a_get_authentication_flow_executions("tongban-browser")
    code = next(each for each in executions if each.get("providerId") == "auth-otp-form")
    await gov.a_update_authentication_flow_executions(code | {"requirement": "DISABLED"}, "tongban-browser")
    assert await bring() == ["gov: flow tongban-browser built", "gov: flow tongban-browser bound"]
    await gov.a_update_realm("gov", {"realm": "gov", "browserFlow": "browser"})
    assert await bring() == ["gov: flow tongban-browser bound"]
    assert (await gov.a_get_realm("gov"))["browserFlow"] == "tongban-browser"


async def test_a_permission_given_by_hand_is_taken_back(bring, gov):
    client = await gov.a_get_client_id("workbench")
    user = await gov.a_get_client_service_account_user(client)
    role = await gov.a_get_realm_role("accounts:manage_post")
    await gov.a_assign_realm_roles(user["id"], [role])
    await gov.a_assign_realm_roles_to_client_scope(client, [role])
    assert await bring() == ["gov: client workbench: permissions changed"]


async def test_without_the_demo_its_clients_are_gone(bring, gov):
    demo = ("demo-loader", "department-cdc", "department-human-resources", "department-sandbox")
    assert await bring(demo=False) == [f"gov: client {name} removed" for name in demo]
    assert await gov.a_get_client_id("demo-loader") is None
    assert "gov: client demo-loader created" in await bring()


async def test_who_is_not_let_in_is_disabled_and_logged_out(bring, surroundings, gov):
    secret = surroundings.keycloak_admin_secret.get_secret_value()
    (officer,) = await gov.a_get_users({"username": "police", "exact": True})
    identity = officer["attributes"]["employee_id"][0]
    async with Administration(surroundings.keycloak_url, surroundings.keycloak_admin_client, secret) as keycloak:
        for active in (False, False, True):
            await keycloak.let_in("gov", "employee_id", identity, active=active)
            (now,) = await gov.a_get_users({"username": "police", "exact": True})
            assert now | {"notBefore": 0} == officer | {"enabled": active, "notBefore": 0}
        # What account states brought about is not undone by the description.
        await keycloak.let_in("gov", "employee_id", identity, active=False)
        assert await bring() == []
        (now,) = await gov.a_get_users({"username": "police", "exact": True})
        assert not now["enabled"]
        # The log-in of a duplicate names the survivor, and goes on doing so.
        for before, after in ((identity, SURVIVOR), (SURVIVOR, identity)):
            await keycloak.relink("gov", "employee_id", before, after)
            assert await bring() == []
            (now,) = await gov.a_get_users({"username": "police", "exact": True})
            assert now["attributes"]["employee_id"] == [after]
        await keycloak.let_in("gov", "employee_id", identity, active=True)
        # Who has no log-in has none to disable.
        await keycloak.let_in("citizen", "person_id", identity, active=False)


@pytest.mark.usefixtures("bring")
async def test_services_get_tokens_for_whom_they_call(surroundings):
    said = await _token(surroundings, "orchestration")
    assert sorted(said["aud"]) == ["accounts", "verification", "workbench"]
    assert "verification:issue_licence" in said["realm_access"]["roles"]
    assert said["azp"] == "orchestration"
    loader = await _token(surroundings, "demo-loader")
    assert "accounts:manage_post" in loader["realm_access"]["roles"]
    assert "aud" not in await _token(surroundings, "accounts")


async def _token(surroundings, client):
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(
            f"{surroundings.keycloak_url}/realms/gov/protocol/openid-connect/token",
            data={"grant_type": "client_credentials"},
            auth=(client, surroundings.client_secrets[client].get_secret_value()),
        )
    answer.raise_for_status()
    claims = answer.json()["access_token"].split(".")[1]
    return json.loads(base64.urlsafe_b64decode(claims + "=="))


@pytest.mark.usefixtures("bring")
async def test_nobody_gets_in_by_a_side_door(surroundings):
    password = surroundings.demo_secrets["officer_password"].get_secret_value()
    async with httpx.AsyncClient(trust_env=False, base_url=surroundings.keycloak_url) as http:
        for client in ("account", "account-console", "admin-cli", "gateway", "security-admin-console"):
            answer = await http.post(
                "/realms/gov/protocol/openid-connect/token",
                data={"grant_type": "password", "client_id": client, "username": "police", "password": password},
            )
            assert answer.status_code in (400, 401)
        parameters = {"client_id": "gateway", "response_type": "code", "scope": "openid"}
        for wrong in (
            {"redirect_uri": f"{surroundings.public_url}/workbench/auth/callback/x"},
            {"redirect_uri": "http://localhost:1/workbench/auth/callback"},
        ):
            answer = await http.get("/realms/gov/protocol/openid-connect/auth", params=parameters | wrong)
            assert answer.status_code == 400
        without_pkce = await http.get(
            "/realms/gov/protocol/openid-connect/auth",
            params=parameters | {"redirect_uri": f"{surroundings.public_url}/workbench/auth/callback"},
        )
        assert "error=invalid_request" in without_pkce.headers["location"]


@pytest.mark.usefixtures("bring")
@pytest.mark.parametrize("realm", ["citizen", "gov"])
async def test_the_server_s_own_clients_let_nobody_log_in(surroundings, realm):
    async with httpx.AsyncClient(trust_env=False, base_url=surroundings.keycloak_url) as http:
        for client, page in (
            ("account", f"/realms/{realm}/account/"),
            ("account-console", f"/realms/{realm}/account/"),
            ("security-admin-console", f"/admin/{realm}/console/"),
        ):
            parameters = {
                "client_id": client,
                "response_type": "code",
                "scope": "openid",
                "redirect_uri": f"{surroundings.keycloak_url}{page}",
                "code_challenge": token_urlsafe(32),
                "code_challenge_method": "S256",
            }
            answer = await http.get(f"/realms/{realm}/protocol/openid-connect/auth", params=parameters)
            assert 'name="username"' not in answer.text
            assert answer.status_code in (302, 400, 401, 403)
            assert "code=" not in answer.headers.get("location", "")


async def test_no_client_of_a_realm_is_public(bring, gov):
    await bring()
    clients = await gov.a_get_clients()
    assert [each["clientId"] for each in clients if each["enabled"] and each["publicClient"]] == []


@pytest.mark.usefixtures("bring")
async def test_the_page_is_chinese(surroundings):
    parameters = {
        "client_id": "gateway",
        "response_type": "code",
        "scope": "openid",
        "redirect_uri": f"{surroundings.public_url}/citizen/auth/callback",
        "code_challenge": token_urlsafe(32),
        "code_challenge_method": "S256",
    }
    async with httpx.AsyncClient(trust_env=False, headers={"Accept-Language": "zh-CN,zh;q=0.9"}) as http:
        page = await http.get(
            f"{surroundings.keycloak_url}/realms/citizen/protocol/openid-connect/auth", params=parameters
        )
    assert "登录" in page.text
    assert "简体中文" in page.text
    assert "viewport" in page.text


@pytest.mark.usefixtures("bring")
async def test_the_command_tells_that_nothing_changed(surroundings, capsys):
    async with main.opened(surroundings, clock=None, ids=None) as app:
        await main.reconcile(app)
    assert capsys.readouterr().out == "realms: nothing changed\n"


def test_only_our_own_keys_are_compared():
    assert differing({"a": 1}, {"a": 1, "b": 2}) == []
    assert differing({"a": {"x": "1"}}, {"a": {"x": "2", "y": "3"}}) == ["a.x"]
    assert differing({"a": ["x", "y"], "b": '{"1": 1}'}, {"a": ["y", "x"], "b": '{"1":1}'}) == []
    assert merged({"a": {"x": "1"}}, {"a": {"y": "2"}, "b": 3}) == {"a": {"x": "1", "y": "2"}, "b": 3}


def test_a_service_without_a_secret_is_refused():
    description = {"realm": "gov", "identity": "employee_id", "face": "workbench", "settings": {}, "login": []}
    description |= {"minimum_level": 2, "services": {"workbench": {"calls": []}}, "demo_services": {}}
    with pytest.raises(ClientSecretMissing):
        wanted(description, PLACE)


def test_seeds_are_each_person_s_own():
    assert one_time_seed("seed", "police") != one_time_seed("seed", "health")
    assert len(base64.b32decode(one_time_seed("seed", "police"))) == 20


def test_both_realms_are_described():
    assert sorted(file.stem for file in DESCRIPTIONS.glob("*.yaml")) == ["citizen", "gov"]


@pytest.mark.usefixtures("bring")
async def test_a_password_that_many_have_is_refused(gov):
    """Whatever the letters' case; what nobody else has is taken."""
    user = await gov.a_create_user({"username": f"newcomer-{token_urlsafe(6).lower()}", "enabled": True})
    try:
        for password in ("Qwerty123456", "1QAZ2wsx3edc", "Tongban@123456", "Shandong@2026"):
            with pytest.raises(KeycloakPutError) as refused:
                await gov.a_set_user_password(user, password, temporary=False)
            assert b"invalidPasswordBlacklisted" in refused.value.response_body
        await gov.a_set_user_password(user, f"Aa1{token_urlsafe(12)}", temporary=False)
    finally:
        await gov.a_delete_user(user)
