"""Which cases a page of a list shows, as text: a department has hundreds of thousands.

A page is read off indexes that lie in its order, one body after the other and of each not more than a page: what it
costs does not grow with how many cases there are. Of more bodies than a page has places, those with the newest cases
fill it.
"""

from functools import lru_cache

from common.permissions import Post

# The bodies with cases under some paths, found by leaping through an index. Between `.` and `/`, which follow each
# other, lies what is below a path.
_BODIES = """
    with recursive leap (top, path) as (
        select top, top from unnest(cast(:tops as text[])) as tops (top)
        union all
        select top, (select t.org_path from {table} as t
                     where t.org_path ~<~ (top || '/')
                       and t.org_path ~>~ case path when top then top || '.' else path end{held}
                     order by t.org_path using ~<~ limit 1)
        from leap where path is not null)
"""
_CASES = """
    select c.id from cases as c
    where c.org_path = path and c.id < cast(:after as uuid) and starts_with(c.region_code, :region){status}
    order by c.id desc limit {size}
"""
# a case may have several documents to deliver
_UNDELIVERED = """
    select distinct d.case_id as id from deliveries as d join cases as c on c.id = d.case_id
    where d.org_path = path and d.delivered_at is null and d.case_id < cast(:after as uuid)
      and starts_with(c.region_code, :region){status}
    order by d.case_id desc limit {size}
"""


def tops_of(post: Post) -> list[str]:
    """Name the departments that a post sees in lists, with all below them; none of them lies below another."""
    paths = {post.org_path, *post.line_paths}
    return sorted(path for path in paths if not any(path.startswith(f"{other}.") for other in paths))


@lru_cache(maxsize=512)
def page_of(size: int, *, of_status: bool, undelivered: bool) -> str:
    """Compose the text of a page: its size stands in it, or the planner would have to guess how little is read."""
    table, held, cases = (
        ("deliveries", " and t.delivered_at is null", _UNDELIVERED) if undelivered else ("cases", "", _CASES)
    )
    status = " and c.status = :status" if of_status else ""
    newest, page = (cases.format(status=status, size=most) for most in (1, size))
    return f"""{_BODIES.format(table=table, held=held)},
        foremost as (select path from leap, lateral ({newest}) as newest order by newest.id desc limit {size})
        select f.id from foremost, lateral ({page}) as f order by f.id desc limit {size}"""  # noqa: S608
