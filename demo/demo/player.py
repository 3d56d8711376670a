"""Plays the newborn's story with a live view of where each case is."""

import asyncio
import time
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.live import Live
from rich.table import Table

from demo import newborn
from demo.people import Cast, cast
from demo.settings import Settings

STATUS = {
    "waiting": "等待前序事项",
    "ready": "待受理",
    "accepted": "已受理",
    "approved": "已准予",
    "certificate_made": "已制证",
    "refused": "不予批准",
    "pruned": "已退出",
}
SHANGHAI = ZoneInfo("Asia/Shanghai")
PATIENCE = 120.0  # seconds until the story is given up as stuck


class StoryStuck(Exception):
    """The filing did not close in time."""


async def play(settings: Settings, console: Console, *, at: datetime) -> dict[str, Any]:
    """Consent, plan, submission, five cases decided by officers, two by departments' own systems, closing."""
    console.print("演示：新生儿出生一件事")
    async with cast(settings) as people:
        console.print("  张伟（父亲）登录，授权李静在本事项中核验其居民身份证")
        await newborn.grant(people.father, at=at)
        serial = int(at.timestamp()) % 10_000_000
        draft = await newborn.draft(people.mother, serial)
        plan = await newborn.plan(people.mother, draft["filing_id"])
        _explain(console, plan)
        await newborn.submit(people.mother, draft["filing_id"], plan["plan_digest"])
        filing = await _follow(people, draft["filing_id"], serial, console)
        console.print(f"\n  {filing['filing_no']} 已办结，李静可在“我的办件”中查看结果")
        for line in (await people.mother.get("orchestration/v1/filings"))["items"]:
            if line["state"] == "proposed":
                console.print(f"  “{line['matter_name']}”已为她预先填好，请她确认（{line['filing_id']}）")
                break
        return filing


def _explain(console: Console, plan: dict[str, Any]) -> None:
    waived = [material for material in plan["materials"] if material["status"].startswith("waived")]
    console.print(f"  李静（母亲）登录，填写一张表：{len(plan['materials'])} 份材料中 {len(waived)} 份免提交")


async def _follow(people: Cast, filing_id: str, serial: int, console: Console) -> dict[str, Any]:
    """Let every officer work until the filing is closed, and show where it is."""
    handled: set[str] = set()
    deadline = time.monotonic() + PATIENCE
    with Live(console=console, refresh_per_second=8) as live:
        while time.monotonic() < deadline:
            filing = await newborn.filing(people.mother, filing_id)
            live.update(_view(filing))
            if filing["state"] == "closed":
                return filing
            await newborn.decide_together(people.officers.values(), filing, serial, handled=handled)
            await asyncio.sleep(0.2)
    raise StoryStuck(filing_id)


def _view(filing: dict[str, Any]) -> Table:
    table = Table("办件编号", "事项", "状态", "承诺时限", title=f"{filing['filing_no']}")
    for case in filing["cases"]:
        table.add_row(
            case["case_no"],
            case["item_name"],
            STATUS.get(case["status"], case["status"]),
            _due(case["promised_due_at"]),
        )
    return table


def _due(at: str | None) -> str:
    """Tell a due time by the clock on the wall of the hall."""
    return f"{datetime.fromisoformat(at).astimezone(SHANGHAI):%Y-%m-%d %H:%M}" if at else "—"
