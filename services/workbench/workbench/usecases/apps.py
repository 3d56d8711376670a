"""The verbs of the registry of apps."""

from collections.abc import Sequence

from common.auth import Actor
from common.paging import Page
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

from workbench import events
from workbench.domain import app as rules
from workbench.domain.app import AddressRules, App, AppExists, AppKey, AppOfAnother, KeysUnfit
from workbench.store import Tx


async def register_app(tx: Tx, app: App, addresses: AddressRules) -> App:
    """Register an app of the caller's department (登记); the same again changes nothing."""
    _refuse_foreign(tx.unit.actor, app)
    registered = rules.register(app, rules=addresses, at=tx.unit.at)
    _refuse_unreadable(app.keys)
    for held in await tx.apps.holders(app.code, app.client_id):
        same = rules.change(held, app, rules=addresses, at=tx.unit.at) == held
        if held.code != app.code or not same:
            raise AppExists(code=app.code)
        return held
    await tx.apps.add(registered)
    tx.unit.emit(events.app_changed(registered, tx.unit.at))
    _record(tx, "register_app", registered)
    return registered


async def change_app(tx: Tx, app: App, addresses: AddressRules) -> App:
    """Change an app of the caller's department (变更)."""
    _refuse_foreign(tx.unit.actor, app)
    others = [held for held in await tx.apps.holders(app.code, app.client_id) if held.code != app.code]
    known = await tx.apps.get(app.code, lock=True)
    changed = rules.change(known, app, rules=addresses, at=tx.unit.at)
    _refuse_unreadable(app.keys)
    if others:
        raise AppExists(code=app.code)
    if changed != known:
        await tx.apps.save(changed)
        tx.unit.emit(events.app_changed(changed, tx.unit.at))
        _record(tx, "change_app", changed)
    return changed


async def approve_app(tx: Tx, code: str) -> App:
    """Let an app be called (批准)."""
    known = await tx.apps.get(code, lock=True)
    approved = rules.approve(known)
    if approved != known:
        await tx.apps.save(approved)
        tx.unit.emit(events.app_approved(approved, tx.unit.at))
        _record(tx, "approve_app", approved)
    return approved


async def suspend_app(tx: Tx, code: str) -> App:
    """Let an app be called no more (停用)."""
    known = await tx.apps.get(code, lock=True)
    suspended = rules.suspend(known)
    if suspended != known:
        await tx.apps.save(suspended)
        tx.unit.emit(events.app_suspended(suspended, tx.unit.at))
        _record(tx, "suspend_app", suspended)
    return suspended


async def read_app(tx: Tx, code: str) -> App:
    """Read one app."""
    return await tx.apps.get(code)


async def list_apps(tx: Tx, *, cursor: str | None, size: int) -> Page[App]:
    """List the apps of the post's scope."""
    return await tx.apps.page(cursor=cursor, size=size)


async def get_apps(tx: Tx, codes: Sequence[str]) -> list[App]:
    """Give apps to the service that calls them."""
    return await tx.apps.find(codes)


def _refuse_foreign(actor: Actor, app: App) -> None:
    """Refuse an officer to register for a department that is not the post's own or below it."""
    if actor.post is None:
        return
    within = app.org_path == actor.post.org_path or app.org_path.startswith(f"{actor.post.org_path}.")
    if not within:
        raise AppOfAnother(org_path=app.org_path)


def _refuse_unreadable(keys: Sequence[AppKey]) -> None:
    for key in keys:
        kind = ECKey if key.jwk["kty"] == "EC" else OKPKey
        try:
            # The point is only looked at when the key is used.
            _ = kind.import_key(dict(key.jwk)).public_key
        except (JoseError, ValueError) as error:
            raise KeysUnfit(rule="KIND", key_id=key.key_id) from error


def _record(tx: Tx, verb: str, app: App) -> None:
    details = {"state": app.state.value, "version": app.version, "keys": [key.key_id for key in app.keys]}
    tx.unit.record(f"workbench.{verb}", subject=("app", app.code), details=details)
