"""PostgreSQL, NATS, Redis and Keycloak as plain processes, each with our own configuration."""

import json
import os
import signal
import subprocess
from pathlib import Path

from tools.runner import readiness
from tools.runner.environment import (
    HOST,
    KEYCLOAK_ADMIN_CLIENT,
    database_url,
    external,
    keycloak_url,
    postgres_admin_url,
)
from tools.runner.instance import ROOT, SERVICES, Instance, socket_path, write_private
from tools.runner.processes import Program
from tools.runner.refusals import StartFailed
from tools.runner.toolbox import keycloak_program, nats_program, postgres_programs, redis_program

# the folder of the list that the realms' password rules name
COMMON_PASSWORDS = ROOT / "services" / "accounts" / "accounts" / "realms"
SERVERS = ("postgres", "nats", "redis", "keycloak")
PORTS = {
    "postgres": ("postgres",),
    "nats": ("nats", "nats-monitor"),
    "redis": ("redis",),
    "keycloak": ("keycloak", "keycloak-management"),
}
# the last is for backups
ACCESS = ("local all all", "host all all 127.0.0.1/32", "host replication postgres 127.0.0.1/32")
# PostgreSQL refuses to run as root: in a user namespace it sees itself as an ordinary user
AS_ORDINARY_USER = ("unshare", "--user", "--map-user=1000", "--map-group=1000")


def ours(*, keycloak: bool = True) -> list[str]:
    """The servers that we start: those without an address of somebody else's."""
    return [name for name in SERVERS if not external(name) and (keycloak or name != "keycloak")]


def program(instance: Instance, server: str) -> Program:
    """Write the server's configuration and say how to start it."""
    match server:
        case "postgres":
            return postgres(instance)
        case "nats":
            return nats(instance)
        case "redis":
            return redis(instance)
        case "keycloak":
            return keycloak(instance)
        case _:
            raise ValueError(server)


def postgres(instance: Instance, *, durable: bool = True) -> Program:
    data = instance.data / "postgres"
    if not (data / "PG_VERSION").exists():
        _initialise(instance, data)
    sockets = instance.home
    fits = socket_path(sockets / f".s.PGSQL.{instance.port('postgres')}.lock").parent == sockets
    access = instance.home / "pg_hba.conf"
    write_private(access, "".join(f"{who} scram-sha-256\n" for who in ACCESS))
    config = instance.home / "postgres.conf"
    settings = {
        "data_directory": data,
        "hba_file": access,
        "ident_file": data / "pg_ident.conf",
        "listen_addresses": HOST,
        "port": instance.port("postgres"),
        "unix_socket_directories": sockets if fits else "",
        "max_connections": 300,
        "shared_buffers": "256MB",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_line_prefix": "%m [%p] %u@%d ",
        "log_min_duration_statement": "500ms",
        # parameters may be personal data
        "log_parameter_max_length": 0,
        "log_parameter_max_length_on_error": 0,
        "log_error_verbosity": "terse",
        # what a throw-away instance holds survives a killed process, and need not survive a power cut
        "fsync": "on" if durable else "off",
    }
    write_private(config, "".join(f"{name} = '{value}'\n" for name, value in settings.items()))
    return Program(
        name="postgres",
        command=(*_ordinary_user(), str(postgres_programs() / "postgres"), "-c", f"config_file={config}"),
        environment={**os.environ, "LC_ALL": "C.UTF-8"},
        ready=readiness.accepts_queries(postgres_admin_url(instance)),
        # SIGTERM would wait for every client to leave; SIGINT ends them and checkpoints
        stop_signal=signal.SIGINT,
        stop_within=20,
    )


def nats(instance: Instance) -> Program:
    config = instance.home / "nats.conf"
    settings = {
        "server_name": f"tongban-{instance.name}",
        "host": HOST,
        "port": instance.port("nats"),
        "http": f"{HOST}:{instance.port('nats-monitor')}",
        "max_payload": 1048576,
        "authorization": {"users": _users_of_nats(instance)},
        # an acknowledged message is on the disk
        "jetstream": {"store_dir": str(instance.data / "nats"), "sync_interval": "always", "max_mem": 67108864},
    }
    write_private(config, json.dumps(settings, indent=1))
    return Program(
        name="nats",
        command=(str(nats_program()), "--config", str(config)),
        environment=os.environ,
        ready=readiness.answers_http(f"http://{HOST}:{instance.port('nats-monitor')}/healthz"),
    )


def _users_of_nats(instance: Instance) -> list[dict[str, object]]:
    """The operator may do all; a service tells facts of its own, keeps its own stream, and reads everybody's."""
    users: list[dict[str, object]] = [{"user": "tongban", "password": instance.secrets["nats_password"]}]
    for service in SERVICES:
        stream = f"EVT_{service.upper()}"
        kicks = [f"kick.{service}", f"kick.{service}.>"]
        told = [f"evt.{service}.>", *kicks, "$JS.ACK.>", "$JS.API.CONSUMER.>", "$JS.API.STREAM.INFO.*"]
        told += [f"$JS.API.STREAM.{act}.{stream}" for act in ("CREATE", "UPDATE")]
        rights = {"publish": {"allow": told}, "subscribe": {"allow": [*kicks, "_INBOX.>"]}}
        secret = instance.secrets[f"{service}_nats_password"]
        users.append({"user": service, "password": secret, "permissions": rights})
    return users


def redis(instance: Instance) -> Program:
    data = instance.data / "redis"
    data.mkdir(parents=True, exist_ok=True)
    config = instance.home / "redis.conf"
    password = instance.secrets["redis_password"]
    settings = {
        "bind": HOST,
        "port": instance.port("redis"),
        "requirepass": password,
        "dir": json.dumps(str(data)),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": '""',
        "daemonize": "no",
    }
    write_private(config, "".join(f"{name} {value}\n" for name, value in settings.items()))
    return Program(
        name="redis",
        command=(str(redis_program()), str(config)),
        environment=os.environ,
        ready=readiness.answers_ping(HOST, instance.port("redis"), password),
    )


def keycloak(instance: Instance) -> Program:
    management = instance.port("keycloak-management")
    database = database_url(instance, "keycloak", scheme="jdbc:postgresql")
    credentials, _, place = database.removeprefix("jdbc:postgresql://").partition("@")
    user, _, password = credentials.partition(":")
    settings = {
        "KC_DB_URL": f"jdbc:postgresql://{place}",
        "KC_DB_USERNAME": user,
        "KC_DB_PASSWORD": password,
        "KC_DB_POOL_MAX_SIZE": "20",
        "KC_CACHE": "local",
        "KC_HOSTNAME": keycloak_url(instance),
        "KC_HTTP_ENABLED": "true",
        "KC_HTTP_HOST": HOST,
        "KC_HTTP_PORT": str(instance.port("keycloak")),
        "KC_HTTP_MANAGEMENT_PORT": str(management),
        "KC_BOOTSTRAP_ADMIN_CLIENT_ID": KEYCLOAK_ADMIN_CLIENT,
        "KC_BOOTSTRAP_ADMIN_CLIENT_SECRET": instance.secrets["keycloak_admin_secret"],
        "KC_LOG_LEVEL": "info,io.smallrye.health:error",
        # one machine, few people: a small heap, no collector that wants cores of its own, and the quick compiler alone
        # (a warm start takes 6.5 s and 8 s of processor time instead of 9 s and 15 s)
        "JAVA_OPTS": "-Xms128m -Xmx400m -XX:MaxMetaspaceSize=256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "
        f"-XX:+ExitOnOutOfMemoryError -Dkeycloak.password.blacklists.path={COMMON_PASSWORDS} "
        "-Dfile.encoding=UTF-8 -Djava.security.egd=file:/dev/urandom",
    }
    return Program(
        name="keycloak",
        command=(str(keycloak_program()), "start", "--optimized"),
        environment={**os.environ, **settings},
        ready=readiness.answers_http(f"http://{HOST}:{management}/health/ready"),
        ready_within=180,
        poll=0.25,
        stop_within=20,
    )


def _initialise(instance: Instance, data: Path) -> None:
    password = instance.home / "postgres.password"
    write_private(password, instance.secrets["postgres_database_password"])
    command = (
        *_ordinary_user(),
        str(postgres_programs() / "initdb"),
        f"--pgdata={data}",
        "--username=postgres",
        f"--pwfile={password}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--locale=C",
        "--no-sync",
    )
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    password.unlink()
    if done.returncode:
        hint = "\nAs root this needs user namespaces; or run as an ordinary user." if _ordinary_user() else ""
        raise StartFailed(f"PostgreSQL could not create its data folder:\n{done.stderr}{hint}")


def _ordinary_user() -> tuple[str, ...]:
    return AS_ORDINARY_USER if os.geteuid() == 0 else ()
