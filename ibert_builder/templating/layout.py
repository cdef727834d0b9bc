"""How Ibis code is laid out: on one line where it fits, else one call of the chain per line, as in Ibis's own docs."""

from __future__ import annotations

from collections.abc import Iterator

from ibert_builder.templating.frames import join_chains

WIDTH = 88
_OPEN, _CLOSE = "([{", ")]}"


def layout(code: str, width: int = WIDTH) -> str:
    """Lay out code whose chains are written one call per line: a line that starts with a dot continues the one before."""
    statements: list[list[str]] = []
    for line in code.rstrip().splitlines():
        if line.lstrip().startswith(".") and statements and statements[-1][-1]:
            statements[-1].append(line.strip())
        else:
            statements.append([line.rstrip()])
    return "\n".join(_statement(links, width) for links in statements).strip("\n")


def _statement(links: list[str], width: int) -> str:
    joined = join_chains("\n".join(links))
    if len(joined) <= width or joined.lstrip().startswith("#"):
        return joined
    indent = len(joined) - len(joined.lstrip())
    prefix, first = _prefix(links[0].lstrip())
    margin = " " * indent
    if len(links) < 3:
        return f"{margin}{prefix}{fit(joined[indent + len(prefix) :], indent, width - len(prefix), in_brackets=False)}"
    # A bare table opens the chain together with its first call: `orders.filter(...)`.
    head = [first + links[1], *links[2:]] if first.isidentifier() else [first, *links[1:]]
    body = "\n".join(f"{margin}    {fit(link, indent + 4, width)}" for link in head)
    return f"{margin}{prefix}(\n{body}\n{margin})"


def _prefix(line: str) -> tuple[str, str]:
    """Split a statement before its expression: `name = ` or `return ` or nothing, and the rest."""
    name, equals, rest = line.partition(" = ")
    if equals and name.isidentifier():
        return name + equals, rest
    return ("return ", line.removeprefix("return ")) if line.startswith("return ") else ("", line)


# From loosest to tightest binding. Binary operators only: those have spaces around them.
_OPERATORS = (
    (" | ",),
    (" & ",),
    (" == ", " != ", " < ", " <= ", " > ", " >= "),
    (" + ", " - "),
    (" * ", " / ", " // ", " % "),
)
_SHORT = 20  # a call with fewer characters between its brackets is not worth breaking


def fit(text: str, indent: int, width: int, in_brackets: bool = True) -> str:
    """Lay out an expression that starts at column `indent`: break it at its operators, or else at a call's arguments."""
    if indent + len(text) <= width:
        return text
    pad, deeper = " " * indent, " " * (indent + 4)
    for operators in _OPERATORS if in_brackets else ():
        operands = _split(text, operators)
        if len(operands) > 1:
            return f"\n{pad}".join(fit(operand, indent, width) for operand in operands)
    group = _group_to_break(text)
    if group is None:
        return text
    opening, closing = group
    before, body, after = text[: opening + 1], text[opening + 1 : closing], text[closing:]
    is_call = (
        opening > 0 and text[opening] == "(" and (text[opening - 1].isalnum() or text[opening - 1] in "_])")
    )
    arguments = split_arguments(body)
    if text[opening] == "(" and not is_call and len(arguments) == 1:
        return f"{before}\n{deeper}{fit(body, indent + 4, width)}\n{pad}{after}"  # a comma would make a tuple
    if indent + 4 + len(body) <= width and not body.endswith(","):
        return f"{before}\n{deeper}{body}\n{pad}{after}"
    if len(arguments) == 1:
        return f"{before}\n{deeper}{fit(arguments[0], indent + 4, width)}\n{pad}{after}"
    inner = "".join(f"{deeper}{fit(argument, indent + 4, width - 1)},\n" for argument in arguments)
    return f"{before}\n{inner}{pad}{after}"


def _group_to_break(text: str) -> tuple[int, int] | None:
    """Where the brackets to break open and close: the last pair, or the longest if the last holds little."""
    groups: list[tuple[int, int]] = []
    stack: list[int] = []
    for index, character in _outside_strings(text):
        if character in _OPEN:
            stack.append(index)
        elif character in _CLOSE:
            if not stack:
                return None  # the code is broken on purpose
            opened = stack.pop()
            if not stack and text[opened + 1 : index].strip():
                groups.append((opened, index))
    if not groups:
        return None
    opening, closing = groups[-1]
    return groups[-1] if closing - opening > _SHORT else max(groups, key=lambda group: group[1] - group[0])


def split_arguments(text: str) -> list[str]:
    """Split at the commas outside brackets and strings."""
    return [part.removeprefix(",").strip() for part in _split(text, (",",)) if part.removeprefix(",").strip()]


def _split(text: str, separators: tuple[str, ...]) -> list[str]:
    """Split at the separators outside brackets and strings; a separator begins the part after it."""
    parts, start, depth = [], 0, 0
    for index, character in _outside_strings(text):
        depth += (character in _OPEN) - (character in _CLOSE)
        if depth == 0 and index > start and text.startswith(separators, index):
            parts.append(text[start:index].strip())
            start = index
    return [*parts, text[start:].strip()]


def _outside_strings(text: str) -> Iterator[tuple[int, str]]:
    """The characters outside string literals, with their indices."""
    quote = ""
    skip = False
    for index, character in enumerate(text):
        if skip:
            skip = False
        elif quote:
            skip = character == "\\"
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        else:
            yield index, character
