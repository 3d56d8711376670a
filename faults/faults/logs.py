"""What the services wrote into their logs: an answer that says nothing shows there, whoever was answered."""

import json
from collections import Counter
from datetime import datetime
from pathlib import Path

from faults.ledger import JSON

UNEXPECTED = ("http.unexpected", "rpc.unexpected", "consumer.parked")
OURS = ("/libs/", "/services/", "/gateway/")


def unexpected(folder: Path, since: datetime) -> list[str]:
    """Nothing unexpected happened behind any door, and no fact was put aside."""
    found: Counter[str] = Counter()
    for file in sorted(folder.glob("*.log")):
        for line in file.read_text(errors="replace").splitlines():
            if any(event in line for event in UNEXPECTED) and line.startswith("{"):
                told: JSON = json.loads(line)
                if told.get("event") in UNEXPECTED and datetime.fromisoformat(told["at"]) >= since:
                    found[f"{file.stem}: {told['event']} {told.get('error', told.get('reason'))} {_where(told)}"] += 1
    return [f"{times} times {what}" for what, times in found.items()]


def _where(told: JSON) -> str:
    ours = [frame for frame in told.get("stack", ()) if any(folder in frame for folder in OURS)]
    return ours[-1].rpartition("/")[2] if ours else ""
