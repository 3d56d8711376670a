"""An import-linter contract by allow-list: the built-in `forbidden` only knows what may not be imported."""

from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class PureContract(Contract):
    """The modules may import each other and what is listed, nothing else."""

    modules: Any = fields.SetField(subfield=fields.StringField())
    may_import: Any = fields.SetField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002, FBT001 (the library's signature)
        rooms = {module for pattern in self.modules for module in graph.find_matching_modules(pattern)}
        strangers = sorted(
            (room, target)
            for room in rooms
            for target in graph.find_modules_directly_imported_by(room)
            if target not in rooms and not any(f"{target}.".startswith(f"{allowed}.") for allowed in self.may_import)
        )
        return ContractCheck(kept=not strangers, metadata={"strangers": strangers})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for room, target in check.metadata["strangers"]:
            output.print_error(f"{room} may not import {target}")
