"""How Ibis code is laid out: on one line where it fits, else one call of the chain a line, as Ibis's own docs do."""

from __future__ import annotations

from ibert_builder.text import join_chains

WIDTH = 88
_OPEN, _CLOSE = "([{", ")]}"


def layout(code: str, width: int = WIDTH) -> str:
    """Lay out code whose chains are written one call a line (lines that start with a dot continue the line before)."""
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
        return f"{margin}{prefix}{fit(joined[indent + len(prefix) :], indent, width - len(prefix))}"
    # A bare table opens the chain together with its first call: `orders.filter(...)`.
    head = [first + links[1], *links[2:]] if first.isidentifier() else [first, *links[1:]]
    body = "\n".join(f"{margin}    {fit(link, indent + 4, width)}" for link in head)
    return f"{margin}{prefix}(\n{body}\n{margin})"


def _prefix(line: str) -> tuple[str, str]:
    """What stands before the expression of a statement: `name = ` or `return `."""
    name, equals, rest = line.partition(" = ")
    if equals and name.isidentifier():
        return name + equals, rest
    return ("return ", line.removeprefix("return ")) if line.startswith("return ") else ("", line)


def fit(text: str, indent: int, width: int) -> str:
    """One expression that starts at column `indent`: broken at its operators, or else at the arguments of its last call."""
    if indent + len(text) <= width:
        return text
    pad, deeper = " " * indent, " " * (indent + 4)
    for operator in ("|", "&") if indent else ():
        operands = _split(text, operator)
        if len(operands) > 1:
            return f"\n{pad}{operator} ".join(fit(operand, indent, width) for operand in operands)
    opening = _last_group(text)
    if opening is None:
        return text
    before, body = text[: opening + 1], text[opening + 1 : -1]
    is_call = text[opening] == "(" and (text[opening - 1].isalnum() or text[opening - 1] in "_])") and opening > 0
    arguments = split_arguments(body)
    if text[opening] == "(" and not is_call and len(arguments) == 1:
        return f"{before}\n{deeper}{fit(body, indent + 4, width)}\n{pad})"  # no comma: it would make a tuple
    if indent + 4 + len(body) <= width and not body.endswith(","):
        return f"{before}\n{deeper}{body}\n{pad}{text[-1]}"
    if len(arguments) == 1:
        return f"{before}\n{deeper}{fit(arguments[0], indent + 4, width)}\n{pad}{text[-1]}"
    inner = "".join(f"{deeper}{fit(argument, indent + 4, width)},\n" for argument in arguments)
    return f"{before}\n{inner}{pad}{text[-1]}"


def _last_group(text: str) -> int | None:
    """Where the bracket opens that closes at the very end of the text."""
    if not text or text[-1] not in _CLOSE:
        return None
    stack: list[int] = []
    for index, character in _outside_strings(text):
        if character in _OPEN:
            stack.append(index)
        elif character in _CLOSE:
            opened = stack.pop()
            if index == len(text) - 1:
                return opened if text[opened + 1 : -1].strip() else None
    return None


def split_arguments(text: str) -> list[str]:
    """Split at the commas that stand in no bracket and no string."""
    return [part for part in _split(text, ",") if part]


def _split(text: str, separator: str) -> list[str]:
    parts, start, depth = [], 0, 0
    for index, character in _outside_strings(text):
        depth += (character in _OPEN) - (character in _CLOSE)
        if character == separator and depth == 0:
            parts.append(text[start:index].strip())
            start = index + 1
    return [*parts, text[start:].strip()]


def _outside_strings(text: str):
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
