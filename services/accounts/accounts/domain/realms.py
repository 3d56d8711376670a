"""The wanted state of a realm: which clients, scopes, roles and log-in steps Keycloak shall have, and nothing of how.

The descriptions are data (`accounts/realms/*.yaml`); here they meet what varies between places and become the
representations that Keycloak speaks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from common.errors import Invalid

type JSON = Mapping[str, Any]

AUDIENCES = ("accounts", "verification", "orchestration", "workbench")
BUILT_IN_SCOPES = ("basic", "acr")
GATEWAY = "gateway"
FLOW = "tongban-browser"
# Left by the server in every realm: doors that nobody of ours uses.
UNUSED_CLIENTS = ("account-console", "admin-cli", "security-admin-console")
# The server's own pages lean on this one; nobody is to log in by it.
SERVERS_CLIENT = "account"


class ClientSecretMissing(Invalid):
    """A client of the realm has no secret in the settings."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What varies between places."""

    public_url: str
    gateway_keys: str = field(repr=False)
    client_secrets: Mapping[str, str] = field(repr=False)
    demo: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a log-in flow: a question, a condition, or a flow inside the flow."""

    name: str
    requirement: str
    config: Mapping[str, str] = field(default_factory=dict)
    steps: tuple["Step", ...] = ()


@dataclass(frozen=True, slots=True)
class Client:
    """A client (应用) with the scopes it always gets and, for a service, the permissions it holds."""

    name: str
    representation: JSON = field(repr=False)
    scopes: frozenset[str] = frozenset()
    permissions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class LogIn:
    """A demo person's way in."""

    username: str
    attributes: Mapping[str, list[str]]
    credentials: Sequence[JSON] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Realm:
    """Everything of a realm that is ours to decide."""

    name: str
    settings: JSON
    profile: JSON
    texts: Mapping[str, Mapping[str, str]]
    scopes: tuple[JSON, ...]
    roles: frozenset[str]
    flow: Step
    clients: tuple[Client, ...]
    absent_clients: frozenset[str]


def wanted(description: JSON, place: Surroundings) -> Realm:
    """Build the wanted state of one realm from its description and the place."""
    identity = description["identity"]
    demo_services = description["demo_services"]
    services = {**description["services"], **(demo_services if place.demo else {})}
    return Realm(
        name=description["realm"],
        settings={"realm": description["realm"], **description["settings"]},
        profile=_profile(identity),
        texts=description.get("texts", {}),
        scopes=(*(_audience(name) for name in AUDIENCES), _claim(identity)),
        roles=frozenset(role for service in services.values() for role in service.get("permissions", ())),
        flow=_flow(description["login"]),
        clients=(
            _gateway(description, place),
            *(_service(name, service, place) for name, service in services.items()),
            *(Client(name, {"clientId": name, "enabled": False}) for name in UNUSED_CLIENTS),
            Client(SERVERS_CLIENT, {"clientId": SERVERS_CLIENT, "publicClient": False, "standardFlowEnabled": False}),
        ),
        absent_clients=frozenset() if place.demo else frozenset(demo_services),
    )


def _client(name: str, **more: Any) -> dict[str, Any]:
    return {
        "clientId": name,
        "enabled": True,
        "protocol": "openid-connect",
        "publicClient": False,
        "bearerOnly": False,
        "standardFlowEnabled": False,
        "implicitFlowEnabled": False,
        "directAccessGrantsEnabled": False,
        "serviceAccountsEnabled": False,
        "fullScopeAllowed": False,
        "consentRequired": False,
        "frontchannelLogout": False,
        "redirectUris": [],
        "webOrigins": [],
        **more,
    }


def _gateway(description: JSON, place: Surroundings) -> Client:
    """The only relying party for browsers; it proves itself by a key, never by a secret on the wire."""
    face = f"{place.public_url}/{description['face']}"
    level = str(description["minimum_level"])
    representation = _client(
        GATEWAY,
        standardFlowEnabled=True,
        clientAuthenticatorType="client-jwt",
        redirectUris=[f"{face}/auth/callback"],
        attributes={
            "use.jwks.string": "true",
            "jwks.string": place.gateway_keys,
            "token.endpoint.auth.signing.alg": "ES256",
            "pkce.code.challenge.method": "S256",
            "post.logout.redirect.uris": "##".join((f"{face}/", face, f"{place.public_url}/")),
            "backchannel.logout.url": f"{face}/auth/backchannel-logout",
            "backchannel.logout.session.required": "true",
            "default.acr.values": level,
            "minimum.acr.value": level,
        },
    )
    scopes = {*BUILT_IN_SCOPES, description["identity"], *(f"aud-{name}" for name in AUDIENCES)}
    return Client(GATEWAY, representation, frozenset(scopes))


def _service(name: str, service: JSON, place: Surroundings) -> Client:
    if name not in place.client_secrets:
        raise ClientSecretMissing(client=name)
    representation = _client(
        name, serviceAccountsEnabled=True, clientAuthenticatorType="client-secret", secret=place.client_secrets[name]
    )
    scopes = {*BUILT_IN_SCOPES, "roles", *(f"aud-{called}" for called in service["calls"])}
    return Client(name, representation, frozenset(scopes), frozenset(service.get("permissions", ())))


def _audience(name: str) -> JSON:
    """Each service's own scope: a token without it is not for that service."""
    config = {
        "included.custom.audience": name,
        "access.token.claim": "true",
        "id.token.claim": "false",
        "introspection.token.claim": "true",
    }
    return _scope(f"aud-{name}", "oidc-audience-mapper", config)


def _claim(attribute: str) -> JSON:
    config = {
        "user.attribute": attribute,
        "claim.name": attribute,
        "jsonType.label": "String",
        "access.token.claim": "true",
        "id.token.claim": "true",
        "userinfo.token.claim": "false",
        "introspection.token.claim": "true",
    }
    return _scope(attribute, "oidc-usermodel-attribute-mapper", config)


def _scope(name: str, mapper: str, config: Mapping[str, str]) -> JSON:
    return {
        "name": name,
        "protocol": "openid-connect",
        "attributes": {"include.in.token.scope": "false", "display.on.consent.screen": "false"},
        "protocolMappers": [
            {"name": name, "protocol": "openid-connect", "protocolMapper": mapper, "config": dict(config)}
        ],
    }


def _profile(identity: str) -> JSON:
    """Keycloak learns a log-in name and our id, nothing else of a person; neither is the person's to change."""
    admin_only = {"view": ["admin"], "edit": ["admin"]}
    username = {
        "name": "username",
        "displayName": "${username}",
        "permissions": {"view": ["admin", "user"], "edit": ["admin"]},
        "validations": {
            "length": {"min": 3, "max": 64},
            "username-prohibited-characters": {},
            "up-username-not-idn-homograph": {},
        },
        "multivalued": False,
    }
    # Keycloak does not let go of this attribute; nobody fills it in
    email = {"name": "email", "displayName": "${email}", "permissions": admin_only, "multivalued": False}
    own = {"name": identity, "displayName": identity, "permissions": admin_only, "multivalued": False}
    return {"attributes": [username, email, own]}


def _flow(levels: Sequence[JSON]) -> Step:
    """Log-in by levels (acr): each level asks its question unless the session has answered it recently.

    Who cannot answer a higher one comes back as strong as before: the face says so in its own words.
    """
    asked = tuple(_level(level) for level in levels)
    if any(level.get("only_if_configured") for level in levels):
        asked += (Step("allow-access-authenticator", "REQUIRED"),)
    return Step(
        FLOW, "", steps=(Step("auth-cookie", "ALTERNATIVE"), Step(f"{FLOW}-levels", "ALTERNATIVE", steps=asked))
    )


def _level(level: JSON) -> Step:
    name = f"{FLOW}-level-{level['level']}"
    condition = {"loa-condition-level": str(level["level"]), "loa-max-age": str(level["max_age"])}
    configured = (Step("conditional-user-configured", "REQUIRED"),) if level.get("only_if_configured") else ()
    return Step(
        name,
        "CONDITIONAL",
        steps=(
            Step("conditional-level-of-authentication", "REQUIRED", condition),
            *configured,
            Step(level["ask"], "REQUIRED"),
        ),
    )
