"""Apps, as the actor may see them."""

from collections.abc import Sequence
from typing import Any

from common.paging import Page, cut, decode
from common.scope import visible
from common.transaction import Transaction
from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Row, func, insert, or_, select, update

from workbench.domain.app import App, AppKey, AppNotFound, AppState
from workbench.models import apps

_KEYS = TypeAdapter(tuple[AppKey, ...])


class Apps:
    """The registry."""

    def __init__(self, unit: Transaction) -> None:
        self._unit = unit

    async def holders(self, code: str, client_id: str) -> list[App]:
        """Load whoever has this code or this client, whoever it belongs to, and let nobody else take them meanwhile."""
        for name in sorted({f"apps.code:{code}", f"apps.client:{client_id}"}):
            lock = func.pg_advisory_xact_lock(func.hashtextextended(name, 0))
            await self._unit.connection.execute(select(lock))
        held = or_(apps.c.code == code, apps.c.client_id == client_id)
        return self._apps(await self._unit.connection.execute(select(apps).where(held)))

    async def get(self, code: str, *, lock: bool = False) -> App:
        """Load one app in the actor's sight."""
        query = select(apps).where(apps.c.code == code, self._in_sight)
        found = self._apps(await self._unit.connection.execute(query.with_for_update() if lock else query))
        if not found:
            raise AppNotFound(code=code)
        return found[0]

    async def find(self, codes: Sequence[str]) -> list[App]:
        """Load the apps with these codes."""
        query = select(apps).where(apps.c.code.in_(codes), self._in_sight).order_by(apps.c.code)
        return self._apps(await self._unit.connection.execute(query))

    async def page(self, *, cursor: str | None, size: int) -> Page[App]:
        """List the apps in sight by their code."""
        query = select(apps).where(self._in_sight).order_by(apps.c.code).limit(size + 1)
        if cursor:
            query = query.where(apps.c.code > decode(cursor, str)[0])
        found = self._apps(await self._unit.connection.execute(query))
        return cut(found, size, lambda app: (app.code,))

    async def add(self, app: App) -> None:
        """Keep a new app."""
        await self._unit.connection.execute(insert(apps).values(code=app.code, **self._values(app)))

    async def save(self, app: App) -> None:
        """Keep an app that was locked before."""
        await self._unit.connection.execute(update(apps).where(apps.c.code == app.code).values(**self._values(app)))

    @property
    def _in_sight(self) -> ColumnElement[bool]:
        post = self._unit.actor.post
        # Who approves, looks after the apps of every department in the region.
        if post is not None and "workbench:approve_app" in post.permissions:
            return visible(self._unit.actor, region=apps.c.region_code)
        return visible(self._unit.actor, region=apps.c.region_code, org=apps.c.org_path)

    def _values(self, app: App) -> dict[str, Any]:
        return {
            "name": app.name,
            "org_id": app.org_id,
            "org_path": app.org_path,
            "region_code": app.region_code,
            "contact": self._unit.keys.seal(app.contact.encode(), bound=f"apps.contact:{app.code}"),
            "address": app.address,
            "client_id": app.client_id,
            "items": list(app.items),
            "keys": _KEYS.dump_python(app.keys, mode="json"),
            "state": app.state.value,
            "version": app.version,
        }

    def _apps(self, rows: Any) -> list[App]:
        return [self._app(row) for row in rows]

    def _app(self, row: Row[Any]) -> App:
        return App(
            code=row.code,
            name=row.name,
            org_id=row.org_id,
            org_path=row.org_path,
            region_code=row.region_code,
            contact=self._unit.keys.open(row.contact, bound=f"apps.contact:{row.code}").decode(),
            address=row.address,
            client_id=row.client_id,
            items=tuple(row.items),
            keys=_KEYS.validate_python(row.keys),
            state=AppState(row.state),
            version=row.version,
        )
