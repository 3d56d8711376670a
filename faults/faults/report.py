"""The report that people read: one page of tables from a campaign's figures."""

from collections import Counter
from pathlib import Path

from faults import records
from faults.ledger import JSON
from faults.oracles import OUTSIDE
from faults.reconciling import INSIDE

MEANS = {each.__name__: (each.__doc__ or "").strip() for each in (*OUTSIDE, *INSIDE)} | {
    **{
        each.__name__: str(each.__doc__)
        for each in (records.drained, records.heard_by_all, records.accounts_as_answered, records.door_as_answered)
    },
    "ended_sessions_open_nothing": "A session that was logged out, or ended from afar, opened nothing any more.",
    "done_in_time": "All of it was done in time.",
    "nothing_unexpected": "Nothing unexpected happened behind any door, by the logs, and no fact was put aside.",
    "everything_came_back": "Every process that was broken was ready again by itself.",
}

# asked only where the stories go on beside the filings
BESIDES = ("accounts_as_answered", "door_as_answered", "ended_sessions_open_nothing")

HEAD = """# Faults

`make faults` lets newborn filings go through the whole house while its processes are killed (SIGKILL), shut down at
once (PostgreSQL), frozen (SIGSTOP) and restarted (SIGTERM) at random; then a ledger kept by the driver alone is
reconciled with what the doors, the databases and the broker say. The order of the faults follows from the seed.
"""

# what was found and mended, and which test covers what: written by people
KNOWN = Path(__file__).with_name("known.md")


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
            f"| processes that wanted a core, at the end | {result['load']}, of {result['cores']} cores |",
            *_whole(result),
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
            KNOWN.read_text(),
        ]
    )


def _whole(result: JSON) -> list[str]:
    if "seconds_in_all" not in result:
        return ["| the crash points below | are of an earlier run |"]
    return [f"| the whole command, with the crash points below | {result['seconds_in_all']} s |"]


def _line(name: str, result: JSON) -> str:
    kinds = [f"{count} {each.split()[1]}" for each, count in result["broken"].items() if each.split()[0] == name]
    return f"| {name} | {', '.join(kinds)} | {result['longest_away_seconds'][name]} s |"


def _crashes(result: JSON) -> list[str]:
    """How many points each service died at, and what that broke."""
    broken = [problem for found in result["oracles"].values() if found != "holds" for problem in found]
    return [
        "## Named crash points",
        "",
        "Each service, the gateway and the departments' own system note the points that they pass while filings go",
        "on, people log in and out, and a clerk keeps accounts: before and after each commit that writes, publication,",
        "acknowledgement, call, write to a session, save and answer to a change. Then each kills itself once at each",
        "of its points, three of them beside each other; everything goes on around it.",
        "",
        "| who | points | of what kind |",
        "|---|---|---|",
        *(f"| {service} | {len(points)} | {_kinds(points)} |" for service, points in result["points"].items()),
        "",
        f"{result['filings']} filings went on around {result['faults']} deaths in {result['seconds']} s; "
        + ("everything above holds." if not broken else "everything above holds, except:"),
        *([""] if broken else ()),
        *(f"- {problem}" for problem in broken),
        "",
        *(f"- {MEANS[name]}" for name, found in result["oracles"].items() if name in BESIDES and found == "holds"),
        "",
    ]


def _kinds(points: list[str]) -> str:
    kinds = Counter(point.split()[1] for point in points)
    return ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())


def _found(found: object) -> str:
    return "holds" if found == "holds" else f"**{found}**"
