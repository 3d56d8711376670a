"""What the routes share: who asks, in which transaction, and how ids, codes and pages are written."""

from typing import Annotated

from common.paging import MAX_SIZE
from common.permissions import Caller
from common.web import app_of
from fastapi import Depends, Query
from pydantic import StringConstraints

from accounts.store import Store

EVERYBODY = frozenset(Caller)
STAFF = frozenset({Caller.OFFICER, Caller.SERVICE})
OFFICERS = frozenset({Caller.OFFICER})
CITIZENS = frozenset({Caller.CITIZEN})

StoreDep = Annotated[Store, Depends(app_of)]
Cursor = Annotated[str | None, Query(max_length=1024)]
PageSize = Annotated[int, Query(ge=1, le=MAX_SIZE)]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
RegionCode = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{5}$")]
PermissionName = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}:[a-z_]{1,60}$")]
Number = Annotated[str, StringConstraints(min_length=1, max_length=40)]
