"""Reading lists to their end."""

from demo.browser import Browser

from demo import newborn


async def every(person: Browser, path: str) -> list[newborn.JSON]:
    """All pages of a list."""
    items: list[newborn.JSON] = []
    cursor: str | None = None
    while True:
        page = await person.get(path, params={"page_size": 100} | ({"cursor": cursor} if cursor else {}))
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return items
