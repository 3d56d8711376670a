"""The report that people read: one page of tables from a campaign's figures."""

from faults import records
from faults.ledger import JSON
from faults.oracles import OUTSIDE
from faults.reconciling import INSIDE

MEANS = {each.__name__: (each.__doc__ or "").strip() for each in (*OUTSIDE, *INSIDE)} | {
    "drained": str(records.drained.__doc__),
    "heard_by_all": str(records.heard_by_all.__doc__),
    "nothing_unexpected": "Nothing unexpected happened behind any door, by the logs, and no fact was put aside.",
    "everything_came_back": "Every process that was broken was ready again by itself.",
}

HEAD = """# Faults

`make faults` lets newborn filings go through the whole house while its processes are killed (SIGKILL), shut down at
once (PostgreSQL), frozen (SIGSTOP) and restarted (SIGTERM) at random; then a ledger kept by the driver alone is
reconciled with what the doors, the databases and the broker say. The order of the faults follows from the seed.
"""

FOUND = """## What campaigns have found so far

| fault | mend | test |
|---|---|---|
| 500 when PostgreSQL dies in the middle of a transaction, and the broken connection stayed in the pool | 503, and a new connection | `libs/common/tests/data/test_transaction.py`, a server that dies |
| 500 for the second of two equal callbacks, when the first answer could not be looked up | 503: nobody knows yet | the same, a repetition that cannot be looked up |
| what a killed consumer held waited a minute: the longest stall of the whole house | 15 s | the longest stall above |
| a restart of a service refused whoever called in that moment | the gateway waits three seconds where nobody listens | `gateway/tests/test_proxy.py`, being restarted |
| a frozen PostgreSQL worked on: only its parent stood still | frozen whole | `tools/tests/test_runner.py`, a frozen server |
| 5 s without a fact after each death of the broker: the client lets a request wait though its connection is gone | whoever waits is told at once | `libs/common/tests/data/test_bus.py`, a broker that dies |
| 500 for every change when PostgreSQL's disk is full | 503 | `libs/common/tests/data/test_transaction.py`, a server without room |
| one start in some hundred failed: a generated password without a digit | each has one | `tools/tests/test_secrets.py` |
"""  # noqa: E501 - rows of a table


def page(result: JSON) -> str:
    """The whole page."""
    return "\n".join(
        [
            HEAD,
            "| figure | |",
            "|---|---|",
            f"| filings, each of seven cases | {result['filings']} |",
            f"| faults | {result['faults']} (seed {result['seed']}) |",
            f"| time | {result['seconds']} s, {result['filings_per_second']} filings/s |",
            f"| acts answered, and asked again | {result['acts']}, {result['asked_again']} |",
            f"| longest stall: no act at all was answered | {result['longest_stall_seconds']} s |",
            f"| until the house rested after the last filing | {result['seconds_until_rest']} s |",
            "",
            "| process | faults | longest away, frozen time included |",
            "|---|---|---|",
            *(_line(name, result) for name in result["longest_away_seconds"]),
            "",
            "| what must hold | |",
            "|---|---|",
            *(f"| {MEANS[name]} | {_found(found)} |" for name, found in result["oracles"].items()),
            "",
            *_crashes(result["crash_points"]),
            FOUND,
        ]
    )


def _line(name: str, result: JSON) -> str:
    kinds = [f"{count} {each.split()[1]}" for each, count in result["broken"].items() if each.split()[0] == name]
    return f"| {name} | {', '.join(kinds)} | {result['longest_away_seconds'][name]} s |"


def _crashes(result: JSON) -> list[str]:
    """How many points each service died at, and what that broke."""
    broken = [problem for found in result["oracles"].values() if found != "holds" for problem in found]
    return [
        "## Named crash points",
        "",
        "Each service notes the points that a filing passes: before and after each commit that writes, publication,",
        "acknowledgement, call, and answer to a change. Then it kills itself once at each of them; filings go on.",
        "",
        "| service | points |",
        "|---|---|",
        *(f"| {service} | {len(points)} |" for service, points in result["points"].items()),
        "",
        f"{result['filings']} filings went on around {result['faults']} deaths in {result['seconds']} s; "
        + ("everything above holds." if not broken else "everything above holds, except:"),
        *([""] if broken else ()),
        *(f"- {problem}" for problem in broken),
        "",
    ]


def _found(found: object) -> str:
    return "holds" if found == "holds" else f"**{found}**"
