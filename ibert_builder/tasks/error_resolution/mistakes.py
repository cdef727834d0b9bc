"""Code with a mistake in it: misspelt names, text that is not valid Python, and the layout of broken and fixed code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ibert_builder.templating.frames import Frame, Language, Piece, Placeholder, join_chains, parse_frame
from ibert_builder.templating.layout import layout
from ibert_builder.templating.sampler import NoFit
from ibert_builder.templating.values import CANONICAL, ChoiceValue, Style

TOO_WIDE = 104  # columns that broken code may take on one line where its fix fits on one


@dataclass(frozen=True)
class Mistakable:
    """A value that can also be rendered the way people get it wrong.

    `{x:typo}` is a column's name misspelt, `{x:upper}` its name in upper case, and `{f:broken}` the text that
    an option has for the broken code.
    """

    value: Any

    def render(self, language: Language, place: Placeholder, style: Style) -> Piece:
        if place.spec == "typo":
            return Piece(misspelt(self.value.column.name))
        if place.spec == "upper":
            return Piece(self.value.column.name.upper())
        if place.spec == "broken":
            return Piece(str(self.value.option["broken"]))
        return self.value.render(language, place, style)


def misspelt(name: str) -> str:
    """The name with its middle letter left out, or swapped with the next one."""
    middle = len(name) // 2
    if name[middle] == "_":
        middle += 1
    if len(name) % 2 and name[middle : middle + 2] != name[middle : middle + 2][::-1]:
        return name[:middle] + name[middle : middle + 2][::-1] + name[middle + 2 :]
    return name[:middle] + name[middle + 1 :]


def render_broken(text: Frame, bound: Mapping[str, Mistakable]) -> str:
    """Fill in a text that is code with a mistake in it, and may not be valid Python.

    Where it is Python, what fills a slot gets parentheses as in any code; else it has no meaning to keep.
    """

    def canonical(place: Placeholder) -> str:
        value = bound[place.slot].value
        is_option = isinstance(value, ChoiceValue) and place.spec is None
        return value.render("ibis", place, CANONICAL).text if is_option else place.slot

    def fill(place: Placeholder) -> Piece:
        return bound[place.slot].render("ibis", place, CANONICAL)

    code = parse_frame(text.text, "ibis", canonical, is_statement=True)
    # A frame of English puts no parentheses around what fills it.
    return (code if _is_python(code) else text).render(fill)


def _is_python(frame: Frame) -> bool:
    try:
        frame.parse()
    except SyntaxError:
        return False
    return True


def laid_out_alike(fixed: str, broken: str) -> tuple[str, str]:
    """Lay out both, each on one line or neither, so that they differ in nothing but the mistake."""
    try:
        texts = layout(fixed), layout(broken)
        if "\n" not in texts[0] and "\n" in texts[1]:
            # People do write lines that are a little too long.
            texts = texts[0], layout(broken, TOO_WIDE)
        if ("\n" in texts[0]) != ("\n" in texts[1]):
            narrow = min(len(join_chains(fixed)), len(join_chains(broken))) - 1
            texts = layout(fixed, narrow), layout(broken, narrow)
    except IndexError:  # there is a bracket too many in a long line
        raise NoFit("the broken code cannot be laid out") from None
    return texts
