"""Lists and counts of todos, as texts for the driver: they are asked at every turn, and of tens of thousands of rows.

A list is read off indexes that lie in its order, one body after the other and of each not more than a page: what it
costs does not grow with how many todos there are. A body's path is $1, along the line (条) there are several.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID

from common.auth import Actor
from common.scope import region_prefix

from workbench.domain.todo import Colour, State
from workbench.domain.todo_list import Search

LONG_AGO = datetime(1, 1, 2, tzinfo=UTC)
_NEVER = datetime(9999, 12, 30, tzinfo=UTC)
_FIRST = UUID(int=0)
_RECENTLY = timedelta(days=30)

# One path is no list of one: of that the planner would have to guess the length, and plan anew each time.
_TOPS = {False: "(SELECT $1::text AS top) AS tops", True: "unnest($1::text[]) AS tops (top)"}
# The bodies with todos under some paths, found by leaping through an index. Between `.` and `/`, which follow each
# other, lies what is below a path.
_BODIES = """
    WITH RECURSIVE leap (top, path) AS (
        SELECT top, top FROM {tops}
        UNION ALL
        SELECT top, (SELECT t.org_path FROM todos AS t
                     WHERE t.state {held} 'done' AND t.org_path ~<~ (top || '/')
                       AND t.org_path ~>~ CASE path WHEN top THEN top || '.' ELSE path END
                     ORDER BY t.org_path USING ~<~ LIMIT 1)::text
        FROM leap WHERE path IS NOT NULL),
    bodies AS (SELECT path FROM leap WHERE path IS NOT NULL{apart})
"""
# What is overdue; then what is due later and what is not due by any clock, as they come. Each is read off an index.
_RUNS = (
    (0, "t.promised_due_at IS NOT NULL AND t.sort_at < $3 AND (t.sort_at, t.todo_id) > ($4, $5)"),
    (1, "t.promised_due_at IS NOT NULL AND t.sort_at >= $3 AND (t.sort_at, t.todo_id) > ($6, $7)"),
    (1, "t.promised_due_at IS NULL AND (t.sort_at, t.todo_id) > ($6, $7)"),
)
_COLOURS = {
    Colour.RED: "t.promised_due_at < {0}",
    Colour.YELLOW: "t.promised_due_at >= {0} AND t.yellow_at <= {0}",
    Colour.GREEN: "(t.promised_due_at IS NULL OR t.promised_due_at >= {0} AND t.yellow_at > {0})",
}
# How many of a kind there are, of each body itself and of what is below it: an index holds all that is asked for.
_MANY = """
    FROM {tops}, LATERAL (
        SELECT t.org_path, t.region_code, t.promised_due_at FROM todos AS t WHERE t.org_path = top AND {kind}
        UNION ALL
        SELECT t.org_path, t.region_code, t.promised_due_at FROM todos AS t
        WHERE t.org_path ~>~ (top || '.') AND t.org_path ~<~ (top || '/') AND {kind}) AS t
    WHERE starts_with(t.region_code, $2){apart}
"""
_KINDS = {
    "open": "t.state = 'open'",
    "claimed": "t.state = 'claimed'",
    "waiting": "t.state = 'waiting'",
    "mine": "t.claimed_post_id = $3 AND t.state = 'claimed'",
    "done": "t.state = 'done' AND t.done_at > $5",
}
_NEAR = "t.state IN ('open', 'claimed') AND t.yellow_at <= $4"


def seen_by(actor: Actor, *, line: bool) -> tuple[str | list[str], str]:
    """Tell whose todos an officer's lists show, by path and region: what `common.scope.visible` says of each row."""
    post = actor.post
    if post is None:
        return [] if line else "", ""
    paths = set(post.line_paths)
    apart = [path for path in paths if not any(path.startswith(f"{other}.") for other in paths)]
    return apart if line else post.org_path, region_prefix(post.region_code)


def outside_of(actor: Actor, *, line: bool) -> tuple[str, ...]:
    """Name what is not shown along the line: the own department, whose todos stand in its own lists."""
    return (actor.post.org_path if actor.post else "",) if line else ()


def counted_at(at: datetime, post_id: str | None) -> tuple[object, ...]:
    """Give what a count asks for besides whose todos are seen."""
    return post_id, at, at - _RECENTLY


def after(rank: int, sort_at: datetime, todo_id: UUID) -> tuple[object, ...]:
    """Tell each run where to go on after a row."""
    place = (sort_at, todo_id)
    return (*place, LONG_AGO, _FIRST) if rank == 0 else (_NEVER, _FIRST, *place)


def looked_for(search: Search, at: datetime) -> dict[str, object]:
    """Give the conditions of a search, each with its value."""
    told: dict[str, object] = {
        "t.claimed_post_id = {0}": search.post_id,
        "t.kind = {0}": search.kind,
        "t.matter_code = {0}": search.matter_code,
        "t.item_code = {0}": search.item_code,
        "strpos(t.title, {0}) > 0": search.words,
    }
    if search.colour is not None:
        told[_COLOURS[search.colour]] = at
    return {condition: value for condition, value in told.items() if value is not None}


@lru_cache(maxsize=512)
def page_of(size: int, state: State, conditions: tuple[str, ...], *, line: bool) -> str:
    """Compose the text of a list: the same search always gives the same text, so the driver prepares it once."""
    more = "".join(f" AND {each.format(f'${place}')}" for place, each in enumerate(conditions, 9 if line else 8))
    runs = " UNION ALL ".join(
        f"(SELECT {rank} AS rank, t.* FROM todos AS t WHERE t.org_path = path AND t.state = '{state}' AND {run}"  # noqa: S608
        f" AND starts_with(t.region_code, $2){more} ORDER BY t.sort_at, t.todo_id LIMIT {size})"
        for rank, run in _RUNS
    )
    held = "=" if state is State.DONE else "<>"
    bodies = _BODIES.format(tops=_TOPS[line], held=held, apart=_apart("path", 8) if line else "")
    return f"{bodies} SELECT f.* FROM bodies, LATERAL ({runs}) AS f ORDER BY rank, sort_at, todo_id LIMIT {size}"  # noqa: S608


@lru_cache
def count_of(*, line: bool) -> str:
    """Compose the text of the counts."""

    def many(kind: str) -> str:
        return _MANY.format(tops=_TOPS[line], kind=kind, apart=_apart("t.org_path", 6) if line else "")

    counts = ", ".join(f"(SELECT count(*) {many(kind)}) AS {name}" for name, kind in _KINDS.items())
    near = "count(*) FILTER (WHERE t.promised_due_at {0} $4)"
    return f"SELECT {counts}, {near.format('>=')} AS yellow, {near.format('<')} AS red {many(_NEAR)}"


def _apart(path: str, place: int) -> str:
    return f" AND {path} <> ${place} AND NOT starts_with({path}, ${place} || '.')"
