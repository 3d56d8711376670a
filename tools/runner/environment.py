"""Which names a process finds in its environment: the one table that the services' settings are read from.

Every service is told only its own names, each with its own prefix (`ACCOUNTS_DATABASE_URL`); a command run by `exec`
gets all of them, and the administrators' addresses besides.
"""

import json
import os
from urllib.parse import urlsplit

from joserfc.jwk import ECKey

from tools.runner.instance import CLIENTS, DEPARTMENTS, SERVICES, Instance

Environment = dict[str, str]

HOST = "127.0.0.1"
# services that answer gRPC calls of the others
ANSWERING = ("accounts", "verification", "orchestration", "workbench")
KEYCLOAK_ADMIN_CLIENT = "tongban-bootstrap"


def public_url(instance: Instance) -> str:
    """Always localhost: a __Host- cookie is accepted there without TLS."""
    return f"http://localhost:{instance.port('gateway')}"


def external(server: str) -> str | None:
    """The address of a server that somebody else runs for us, or None if we start it.

    Inside `exec` the same names tell a command where our own servers are; a runner started there (by a test) must not
    take them for somebody else's.
    """
    if "TONGBAN_INSTANCE" in os.environ:
        return None
    return os.environ.get(f"TONGBAN_{server.upper()}_URL") or None


def keycloak_url(instance: Instance) -> str:
    return external("keycloak") or f"http://localhost:{instance.port('keycloak')}"


def nats_url(instance: Instance, service: str = "") -> str:
    """A service's own way in, or the operator's; on somebody else's server it is theirs to tell them apart."""
    user, secret = (service, f"{service}_nats_password") if service else ("tongban", "nats_password")
    return external("nats") or f"nats://{user}:{instance.secrets[secret]}@{HOST}:{instance.port('nats')}"


def redis_url(instance: Instance) -> str:
    return external("redis") or f"redis://:{instance.secrets['redis_password']}@{HOST}:{instance.port('redis')}/0"


def postgres_admin_url(instance: Instance) -> str:
    password = instance.secrets["postgres_database_password"]
    ours = f"postgresql://postgres:{password}@{HOST}:{instance.port('postgres')}/postgres"
    return external("postgres") or ours


def database_name(instance: Instance, owner: str) -> str:
    """Somebody else's server may serve several instances: there the name carries the instance."""
    return f"tongban_{instance.name.replace('-', '_')}_{owner}" if external("postgres") else owner


def database_url(instance: Instance, owner: str, scheme: str = "postgresql+asyncpg") -> str:
    server = urlsplit(postgres_admin_url(instance))
    name = database_name(instance, owner)
    password = instance.secrets[f"{owner}_database_password"]
    return f"{scheme}://{name}:{password}@{server.hostname}:{server.port or 5432}/{name}"


def service_environment(instance: Instance, service: str) -> Environment:
    secrets = instance.secrets
    own = {
        "DATABASE_URL": database_url(instance, service),
        "NATS_URL": nats_url(instance, service),
        "REDIS_URL": redis_url(instance),
        "HTTP_PORT": str(instance.port(service)),
        "GRPC_PORT": str(instance.port(f"{service}-grpc")),
        "KEYCLOAK_URL": keycloak_url(instance),
        "CLIENT_SECRET": secrets[f"{service}_client_secret"],
        "DATA_KEYS": json.dumps({"k1": secrets[f"{service}_data_key"]}),
        "INDEX_KEY": secrets[f"{service}_index_key"],
        **{f"{peer.upper()}_GRPC": f"{HOST}:{instance.port(f'{peer}-grpc')}" for peer in ANSWERING if peer != service},
        **_particular(instance, service),
    }
    return {f"{service.upper()}_{name}": value for name, value in own.items()}


def _particular(instance: Instance, service: str) -> Environment:
    """What one service alone is told."""
    secrets = instance.secrets
    match service:
        case "gateway":
            return {
                "SERVICES": json.dumps({name: f"http://{HOST}:{instance.port(name)}" for name in ANSWERING}),
                "PUBLIC_URL": public_url(instance),
                "SESSION_KEYS": json.dumps({"s1": secrets["session_key"]}),
                "CLIENT_KEY": secrets["gateway_client_key"],
                "CLIENTS": _clients(),
            }
        case "accounts":
            return {
                "KEYCLOAK_ADMIN_CLIENT": os.environ.get("TONGBAN_KEYCLOAK_ADMIN_CLIENT", KEYCLOAK_ADMIN_CLIENT),
                "KEYCLOAK_ADMIN_SECRET": os.environ.get(
                    "TONGBAN_KEYCLOAK_ADMIN_SECRET", secrets["keycloak_admin_secret"]
                ),
                "GATEWAY_CLIENT_JWKS": json.dumps(_public_keys(secrets["gateway_client_key"])),
                "CLIENT_SECRETS": json.dumps({name: secrets[f"{name}_client_secret"] for name in CLIENTS}),
                "PUBLIC_URL": public_url(instance),
                "DEMO": "true",
                "DEMO_SECRETS": json.dumps(
                    {name: secrets[name] for name in ("citizen_password", "officer_password", "totp_seed")}
                ),
            }
        case "orchestration":
            return {
                "PUBLIC_URL": public_url(instance),
                "SIGNING_KEY": secrets["orchestration_signing_key"],
                "LOOPBACK_APPS": "true",
                "CLIENTS": _clients(),
            }
        case "workbench":
            return {"LOOPBACK_APPS": "true"}
        case _:
            return {}


def _clients() -> str:
    """Whose tokens are taken: the demo's departments call through the gateway, and orchestration is where they call."""
    return json.dumps(CLIENTS)


def department_environment(instance: Instance) -> Environment:
    """What the demo's departments' own system needs to serve, to sign and to call back."""
    names = {
        "PORT": str(instance.port("department")),
        "FILE": str(instance.data / "department.sqlite"),
        "PUBLIC_URL": public_url(instance),
        "KEYCLOAK_URL": keycloak_url(instance),
        "SECRETS": json.dumps({each: instance.secrets[f"{each}_client_secret"] for each in DEPARTMENTS}),
        "SIGNING_KEYS": json.dumps({each: instance.secrets[f"{each}_signing_key"] for each in DEPARTMENTS}),
    }
    return {f"DEPARTMENT_{name}": value for name, value in names.items()}


def program_environment(instance: Instance, name: str) -> Environment:
    """What a program of the Procfile is told: a service its own names, the demo's departments theirs."""
    return service_environment(instance, name) if name in SERVICES else department_environment(instance)


def demo_environment(instance: Instance) -> Environment:
    """What the demo needs to log in as its people and to load its city."""
    secrets = instance.secrets
    return {
        "DEMO_PUBLIC_URL": public_url(instance),
        "DEMO_KEYCLOAK_URL": keycloak_url(instance),
        "DEMO_CLIENT_SECRET": secrets["demo-loader_client_secret"],
        "DEMO_SANDBOX_SECRET": secrets["department-sandbox_client_secret"],
        "DEMO_CITIZEN_PASSWORD": secrets["citizen_password"],
        "DEMO_OFFICER_PASSWORD": secrets["officer_password"],
        "DEMO_TOTP_SEED": secrets["totp_seed"],
        **department_environment(instance),
    }


def environment(instance: Instance) -> Environment:
    """All names at once, for tests, the demo and other commands that look at the whole house."""
    names = {
        "TONGBAN_INSTANCE": instance.name,
        "TONGBAN_INSTANCE_DIR": str(instance.home),
        "TONGBAN_PORT_BASE": str(instance.base),
        "TONGBAN_CONTROL": str(instance.control),
        "TONGBAN_POSTGRES_ADMIN_URL": postgres_admin_url(instance),
        "TONGBAN_NATS_URL": nats_url(instance),
        "TONGBAN_NATS_MONITOR_URL": f"http://{HOST}:{instance.port('nats-monitor')}",
        "TONGBAN_REDIS_URL": redis_url(instance),
        "TONGBAN_KEYCLOAK_URL": keycloak_url(instance),
        **demo_environment(instance),
    }
    for service in SERVICES:
        names |= service_environment(instance, service)
    return names


def _public_keys(private_pem: str) -> dict[str, object]:
    key = ECKey.import_key(private_pem)
    public = key.as_dict(private=False)
    return {"keys": [{**public, "kid": key.thumbprint(), "use": "sig", "alg": "ES256"}]}
