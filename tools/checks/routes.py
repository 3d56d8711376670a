"""Every HTTP route declares its permission: what the OpenAPI document shows is what the door asks."""

import json
import subprocess
import sys

from tools.checks.outcome import Outcome
from tools.checks.tree import ROOT, SERVICES

# In a process of its own: a service is imported whole, and one that does not import is a finding, not a crash.
_PROGRAM = """
import importlib, json, sys
from pathlib import Path
from common import web
service = sys.argv[1]
api = importlib.import_module(f"{service}.api")
locale = Path(importlib.import_module(service).__file__).parent / "locale"
door = web.application(None, service=service, routers=[api.router], authenticator=None, locale=locale)
operations = [
    (f"{verb.upper()} {path}", (operation.get("x-permission") or {}).get("name"))
    for path, verbs in door.openapi()["paths"].items()
    for verb, operation in verbs.items()
]
print(json.dumps(operations))
"""


def permissions() -> Outcome:
    problems: list[str] = []
    routes = 0
    for service in SERVICES:
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM, service], cwd=ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            problems.append(f"{service}.api does not import: {done.stderr.strip().splitlines()[-1]}")
            continue
        for route, permission in json.loads(done.stdout):
            routes += 1
            if not (permission or "").startswith(f"{service}:"):
                problems.append(f"{service}: {route} declares no permission of its service, but {permission!r}")
    return Outcome(tuple(problems), f"{routes} routes")
