"""Keycloak's administration: brings one realm to its wanted state and tells what it had to change.

The server fills in what we leave out, so only the keys that we own are compared. One call after the other: the library
asks for a token per concurrent call.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Self

from common.errors import Refusal, Unavailable
from keycloak import KeycloakAdmin, KeycloakOpenIDConnection
from keycloak.exceptions import KeycloakConnectionError, KeycloakError, KeycloakGetError

from accounts.domain.realms import FLOW, JSON, Client, LogIn, Realm, Step

BUILT_IN_FLOW = "browser"


class KeycloakAway(Unavailable):
    """Keycloak cannot be reached."""


class KeycloakRefused(Refusal):
    """Keycloak did not take a part of the realm."""


class Administration:
    """The administrator's client of the master realm."""

    def __init__(self, url: str, client: str, secret: str) -> None:
        self._connection = KeycloakOpenIDConnection(
            server_url=url,
            realm_name="master",
            user_realm_name="master",
            client_id=client,
            client_secret_key=secret,
            timeout=30,
            max_retries=3,
        )
        self._admin = KeycloakAdmin(connection=self._connection)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._connection.aclose()
        await self._connection.keycloak_openid.connection.aclose()

    async def reconcile(self, realm: Realm, log_ins: Collection[LogIn] = ()) -> list[str]:
        """Change what differs; the lines name what was changed, never a value: some are secrets."""
        try:
            return [f"{realm.name}: {line}" for line in await _Reconciliation(self._admin, realm).run(log_ins)]
        except KeycloakConnectionError as error:
            raise KeycloakAway from error
        except KeycloakError as error:
            if error.response_code is None or error.response_code >= 500:  # noqa: PLR2004
                raise KeycloakAway from error
            said = error.response_body or b""
            raise KeycloakRefused(realm=realm.name, status=error.response_code, said=said.decode()[:500]) from error

    async def let_in(self, realm: str, attribute: str, identity: str, *, active: bool) -> None:
        """Enable or disable whoever has this identity, and end every session of whom is disabled."""
        admin = self._admin
        admin.connection.realm_name = realm
        try:
            for user in await admin.a_get_users({"q": f"{attribute}:{identity}", "briefRepresentation": "false"}):
                # The server takes what is left out for taken away: the whole user is sent back.
                await admin.a_update_user(user["id"], {**user, "enabled": active})
                if not active:
                    await admin.a_user_logout(user["id"])
        except KeycloakError as error:
            raise KeycloakAway from error

    async def relink(self, realm: str, attribute: str, identity: str, other: str) -> None:
        """Let whoever has this identity have another from now on, after logging in anew."""
        admin = self._admin
        admin.connection.realm_name = realm
        try:
            for user in await admin.a_get_users({"q": f"{attribute}:{identity}", "briefRepresentation": "false"}):
                attributes = {**user["attributes"], attribute: [other]}
                await admin.a_update_user(user["id"], {**user, "attributes": attributes})
                await admin.a_user_logout(user["id"])
        except KeycloakError as error:
            raise KeycloakAway from error


class _Reconciliation:
    def __init__(self, admin: KeycloakAdmin, realm: Realm) -> None:
        self._admin = admin
        self._realm = realm
        self._path = f"admin/realms/{realm.name}"
        self._changes: list[str] = []

    async def run(self, log_ins: Collection[LogIn]) -> list[str]:
        admin, realm = self._admin, self._realm
        current = await self._realm_or_none()
        if current is None:
            await admin.a_create_realm({"realm": realm.name, "enabled": True})
            self._changes.append("realm created")
            current = await admin.a_get_realm(realm.name)
        admin.connection.realm_name = realm.name
        if different := differing(realm.settings, current):
            await admin.a_update_realm(realm.name, merged(realm.settings, current))
            self._tell("realm", different)
        await self._profile()
        await self._texts()
        await self._scopes()
        await self._roles()
        await self._flow(current["browserFlow"])
        await self._clients()
        for log_in in log_ins:
            await self._log_in(log_in)
        return self._changes

    def _tell(self, what: str, keys: Iterable[str]) -> None:
        self._changes.append(f"{what}: {', '.join(sorted(keys))} changed")

    async def _realm_or_none(self) -> JSON | None:
        try:
            found: JSON = await self._admin.a_get_realm(self._realm.name)
        except KeycloakGetError as error:
            if error.response_code == 404:  # noqa: PLR2004
                return None
            raise
        return found

    async def _profile(self) -> None:
        current = await self._admin.a_get_realm_users_profile()
        has = {each["name"]: each for each in current["attributes"]}
        attributes = self._realm.profile["attributes"]
        different = {each["name"] for each in attributes if differing(each, has.get(each["name"], {}))}
        different |= has.keys() - {each["name"] for each in attributes}
        # With no policy at all an attribute that is not described does not exist.
        if current.get("unmanagedAttributePolicy"):
            different.add("unmanagedAttributePolicy")
        if different:
            await self._admin.a_update_realm_users_profile(dict(self._realm.profile))
            self._tell("user profile", different)

    async def _scopes(self) -> None:
        current = {each["name"]: each for each in await self._admin.a_get_client_scopes()}
        for scope in self._realm.scopes:
            name = scope["name"]
            if name not in current:
                await self._admin.a_create_client_scope(dict(scope))
                self._changes.append(f"client scope {name} created")
                continue
            scope_id = current[name]["id"]
            if different := differing(_without(scope, "protocolMappers"), current[name]):
                whole = merged(_without(scope, "protocolMappers"), current[name])
                await self._admin.a_update_client_scope(scope_id, _without(whole, "protocolMappers"))
                self._tell(f"client scope {name}", different)
            mappers = {each["name"]: each for each in current[name].get("protocolMappers", ())}
            await self._mappers(scope, scope_id, mappers)

    async def _mappers(self, scope: JSON, scope_id: str, current: Mapping[str, JSON]) -> None:
        for mapper in scope["protocolMappers"]:
            has = current.get(mapper["name"])
            if has is None:
                await self._admin.a_add_mapper_to_client_scope(scope_id, mapper)
                self._changes.append(f"client scope {scope['name']}: mapper {mapper['name']} created")
            elif different := differing(mapper, has):
                await self._admin.a_update_mapper_in_client_scope(scope_id, has["id"], merged(mapper, has))
                self._tell(f"client scope {scope['name']}: mapper {mapper['name']}", different)
        for name in current.keys() - {each["name"] for each in scope["protocolMappers"]}:
            await self._admin.a_delete_mapper_from_client_scope(scope_id, current[name]["id"])
            self._changes.append(f"client scope {scope['name']}: mapper {name} removed")

    async def _texts(self) -> None:
        """What the log-in pages say in our own words."""
        for language, texts in self._realm.texts.items():
            path = f"{self._path}/localization/{language}"
            answer = await self._admin.connection.a_raw_get(path)
            if different := differing(texts, answer.json()):
                await self._admin.connection.a_raw_post(
                    path, data=json.dumps({name: texts[name] for name in different})
                )
                self._tell(f"texts {language}", different)

    async def _roles(self) -> None:
        current = {each["name"] for each in await self._admin.a_get_realm_roles()}
        for name in sorted(self._realm.roles - current):
            await self._admin.a_create_realm_role({"name": name})
            self._changes.append(f"role {name} created")

    async def _flow(self, bound: str) -> None:
        """A log-in flow has no update as a whole: one that differs is built anew.

        Meanwhile the server's own flow is bound. It gives no level above a password, so nothing opens that should not.
        """
        flows = {each["alias"]: each for each in await self._admin.a_get_authentication_flows()}
        flow = self._realm.flow
        lines = await self._lines() if FLOW in flows else []
        if lines != list(_flattened(flow.steps)):
            if FLOW in flows:
                await self._bind(BUILT_IN_FLOW)
                await self._admin.a_delete_authentication_flow(flows[FLOW]["id"])
            await self._admin.a_create_authentication_flow(
                {"alias": FLOW, "providerId": "basic-flow", "topLevel": True, "builtIn": False}
            )
            await self._build(flow)
            self._changes.append(f"flow {FLOW} built")
            bound = BUILT_IN_FLOW
        if bound != FLOW:
            await self._bind(FLOW)
            self._changes.append(f"flow {FLOW} bound")

    async def _bind(self, flow: str) -> None:
        await self._admin.a_update_realm(self._realm.name, {"realm": self._realm.name, "browserFlow": flow})

    async def _lines(self) -> list[tuple[int, str, str, JSON]]:
        executions = await self._admin.a_get_authentication_flow_executions(FLOW)
        return [(each["level"], _step_name(each), each["requirement"], await self._config(each)) for each in executions]

    async def _config(self, execution: JSON) -> JSON:
        if "authenticationConfig" not in execution:
            return {}
        answer = await self._admin.connection.a_raw_get(
            f"{self._path}/authentication/config/{execution['authenticationConfig']}"
        )
        config: JSON = answer.json().get("config", {})
        return config

    async def _build(self, flow: Step) -> None:
        admin = self._admin
        for step in flow.steps:
            if step.steps:
                await admin.a_create_authentication_flow_subflow(
                    {"alias": step.name, "type": "basic-flow", "provider": "registration-page-form"}, flow.name
                )
            else:
                await admin.a_create_authentication_flow_execution({"provider": step.name}, flow.name)
        executions = {_step_name(each): each for each in await admin.a_get_authentication_flow_executions(flow.name)}
        for step in flow.steps:
            execution = executions[step.name]
            await admin.a_update_authentication_flow_executions(
                {**execution, "requirement": step.requirement}, flow.name
            )
            if step.config:
                named = {"alias": flow.name, "config": dict(step.config)}
                await admin.a_create_execution_config(execution["id"], named)
            if step.steps:
                await self._build(step)

    async def _clients(self) -> None:
        current = {each["clientId"]: each for each in await self._admin.a_get_clients()}
        for client in self._realm.clients:
            await self._client(client, current.get(client.name))
        for name in sorted(self._realm.absent_clients & current.keys()):
            await self._admin.a_delete_client(current[name]["id"])
            self._changes.append(f"client {name} removed")

    async def _client(self, client: Client, current: JSON | None) -> None:
        admin = self._admin
        if current is None:
            client_id = await admin.a_create_client(dict(client.representation))
            current = await admin.a_get_client(client_id)
            self._changes.append(f"client {client.name} created")
        elif different := differing(client.representation, current):
            await admin.a_update_client(current["id"], merged(client.representation, current))
            self._tell(f"client {client.name}", different)
        if client.scopes:
            await self._client_scopes(client, current)
        if client.representation.get("serviceAccountsEnabled"):
            await self._permissions(client, current["id"])

    async def _client_scopes(self, client: Client, current: JSON) -> None:
        admin, client_id = self._admin, current["id"]
        default, optional = set(current["defaultClientScopes"]), set(current["optionalClientScopes"])
        if default == client.scopes and not optional:
            return
        ids = {each["name"]: each["id"] for each in await admin.a_get_client_scopes()}
        for name in optional:
            await admin.a_delete_client_optional_client_scope(client_id, ids[name])
        for name in default - client.scopes:
            await admin.a_delete_client_default_client_scope(client_id, ids[name])
        for name in client.scopes - default:
            wanted = {"realm": self._realm.name, "client": client_id, "clientScopeId": ids[name]}
            await admin.a_add_client_default_client_scope(client_id, ids[name], wanted)
        self._tell(f"client {client.name}", ["client scopes"])

    async def _permissions(self, client: Client, client_id: str) -> None:
        """A service's permissions are roles of its account, and let into its tokens by its scope."""
        admin = self._admin
        user = await admin.a_get_client_service_account_user(client_id)
        held = {each["name"]: each for each in await admin.a_get_realm_roles_of_user(user["id"])}
        let_in = {each["name"]: each for each in await admin.a_get_realm_roles_of_client_scope(client_id)}
        surplus = {name for name in held if ":" in name} - client.permissions
        if held.keys() >= client.permissions and not surplus and let_in.keys() == client.permissions:
            return
        roles = {each["name"]: each for each in await admin.a_get_realm_roles()}
        if missing := client.permissions - held.keys():
            await admin.a_assign_realm_roles(user["id"], [roles[name] for name in missing])
        if surplus:
            await admin.a_delete_realm_roles_of_user(user["id"], [roles[name] for name in surplus])
        if missing := client.permissions - let_in.keys():
            await admin.a_assign_realm_roles_to_client_scope(client_id, [roles[name] for name in missing])
        if surplus := let_in.keys() - client.permissions:
            await admin.a_delete_realm_roles_of_client_scope(client_id, [let_in[name] for name in surplus])
        self._tell(f"client {client.name}", ["permissions"])

    async def _log_in(self, log_in: LogIn) -> None:
        admin = self._admin
        # Whoever is there stays as is: whether a log-in is let in, and as whom, came to be told by account states.
        if await admin.a_get_users({"username": log_in.username, "exact": True}):
            return
        representation = {"username": log_in.username, "enabled": True, "attributes": dict(log_in.attributes)}
        await admin.a_create_user({**representation, "credentials": list(log_in.credentials)})
        self._changes.append(f"user {log_in.username} created")


def differing(wanted: JSON, current: JSON) -> list[str]:
    """The wanted keys that are otherwise now; lists are sets here, and a JSON text is what it says."""
    found = []
    for key, value in wanted.items():
        now = current.get(key)
        if isinstance(value, Mapping) and isinstance(now, Mapping):
            found += [f"{key}.{inner}" for inner in differing(value, now)]
        elif _meaning(value) != _meaning(now):
            found.append(key)
    return found


def merged(wanted: JSON, current: JSON) -> dict[str, Any]:
    """The current representation with our keys in it: what is not ours stays as it is."""
    whole = {**current, **wanted}
    for key, value in wanted.items():
        if isinstance(value, Mapping) and isinstance(current.get(key), Mapping):
            whole[key] = merged(value, current[key])
    return whole


def _meaning(value: object) -> object:
    if isinstance(value, list):
        return sorted(json.dumps(each, sort_keys=True) for each in value)
    if isinstance(value, str) and value.startswith("{"):
        return json.loads(value)
    return value


def _without(representation: JSON, key: str) -> dict[str, Any]:
    return {name: value for name, value in representation.items() if name != key}


def _step_name(execution: JSON) -> str:
    name: str = execution["displayName"] if execution.get("authenticationFlow") else execution["providerId"]
    return name


def _flattened(steps: Iterable[Step], level: int = 0) -> Iterable[tuple[int, str, str, JSON]]:
    for step in steps:
        yield level, step.name, step.requirement, step.config
        yield from _flattened(step.steps, level + 1)
