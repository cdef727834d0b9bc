"""The code of a function: its layout, and the global names it uses."""

from __future__ import annotations

import re
import symtable
import textwrap
from collections.abc import Iterator

from ibert_builder.templating.layout import WIDTH as CODE_WIDTH
from ibert_builder.templating.layout import fit, layout


def global_names(code: str) -> set[str]:
    """The global names that a function uses."""

    def walk(table: symtable.SymbolTable) -> Iterator[str]:
        yield from (
            symbol.get_name()
            for symbol in table.get_symbols()
            if symbol.is_global() and symbol.is_referenced()
        )
        for child in table.get_children():
            yield from walk(child)

    return {
        name
        for function in symtable.symtable(code, "<template>", "exec").get_children()
        for name in walk(function)
    }


def lay_out_function(text: str) -> str:
    """Lay out the code of a function; a signature too long for one line gets a line for each parameter."""
    # Statement by statement, without indentation: `layout` takes indented text for the inside of a bracket.
    first, *body = re.split(r"\n(?!\s*\.)", text.rstrip())
    if len(first) > CODE_WIDTH:
        head, _, tail = first.rpartition(")")
        first = fit(f"{head})", 0, CODE_WIDTH - len(tail)) + tail
    return "\n".join([first, *map(_statement, body)])


def _statement(lines: str) -> str:
    margin = " " * (len(lines) - len(lines.lstrip()))
    return textwrap.indent(layout(lines.lstrip(), CODE_WIDTH - len(margin)), margin)
