"""Text for people lives in locale files and data, so no Chinese stands in a string of the code."""

import ast
import io
import re
import tokenize
from pathlib import Path

from tools.checks.outcome import Outcome
from tools.checks.tree import is_test, text, written

CHINESE = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")
HOUSES = ("services", "libs", "gateway")
STRINGS = (tokenize.STRING, tokenize.FSTRING_MIDDLE)


def chinese() -> Outcome:
    code = (
        path
        for path in written(".py")
        if path.parts[0] in HOUSES and not is_test(path) and "migrations" not in path.parts
    )
    return Outcome(
        tuple(f"{path}:{line}: Chinese belongs in locale/zh_CN.json" for path in code for line in lines_of(path))
    )


def lines_of(path: Path) -> list[int]:
    return chinese_strings(text(path))


def chinese_strings(source: str) -> list[int]:
    """The lines of Chinese in string literals as written; comments and docstrings may hold it, escapes may too."""
    docstrings = {
        node.body[0].lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and ast.get_docstring(node, clean=False) is not None
    }
    return [
        token.start[0]
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type in STRINGS and CHINESE.search(token.string) and token.start[0] not in docstrings
    ]
