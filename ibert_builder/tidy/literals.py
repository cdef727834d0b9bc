"""Constants as people write them: `DATE '2024-01-31'`, `RANK() = 1` for Ibis's `RANK() - 1 = 0`."""

from __future__ import annotations

import re

from sqlglot import exp

from ibert_builder.dialects.base import Dialect
from ibert_builder.tidy.scopes import COMPARISON


def write_constants(tree: exp.Query, dialect: Dialect) -> None:
    """Constants as people write them: moments as literals, and no expressions over constants."""
    for call in list(tree.find_all(exp.Func, exp.Cast)):
        if (text := _moment(call, dialect)) is not None:
            kind = "DATE" if len(text) == 10 else dialect.moment_type
            call.replace(exp.Introducer(this=exp.var(kind), expression=exp.Literal.string(text)))
    for node in reversed(list(tree.walk())):
        if (folded := _folded(node, dialect)) is not node:
            node.replace(folded)


def _folded(node: exp.Expression, dialect: Dialect) -> exp.Expression:
    """The value of an expression as far as it is over constants, or the expression itself."""
    if (
        isinstance(node, exp.Add | exp.DPipe)
        and isinstance(node.left, exp.Literal)
        and isinstance(node.right, exp.Literal)
    ):
        concatenates = isinstance(node, exp.DPipe) or dialect.plus_concatenates
        if node.left.is_string and node.right.is_string and concatenates:
            return exp.Literal.string(node.left.name + node.right.name)
        if node.left.is_int and node.right.is_int and isinstance(node, exp.Add):
            return exp.Literal.number(int(node.left.name) + int(node.right.name))
    elif isinstance(node, exp.Length) and isinstance(node.this, exp.Literal):
        # Engines count other characters in bytes, leave spaces at the end out, or have no empty string.
        if re.fullmatch(r"[!-~]([ -~]*[!-~])?", node.this.name):
            return exp.Literal.number(len(node.this.name))
    elif isinstance(node, exp.Or) and _truth(node.right) is False:
        return node.left
    elif isinstance(node, exp.Cast) and node.to.this in exp.DataType.INTEGER_TYPES:
        if (truth := _truth(node.this)) is not None:
            return exp.Literal.number(int(truth))
    elif (
        isinstance(node, exp.If)
        and not isinstance(node.parent, exp.Case)
        and (truth := _truth(node.this)) is not None
    ):
        return (node.args["true"] if truth else node.args.get("false")) or exp.Null()
    elif isinstance(node, exp.Coalesce) and all(isinstance(other, exp.Null) for other in node.expressions):
        return node.this
    elif isinstance(node, exp.Case):
        return _folded_case(node)
    elif (
        isinstance(node, exp.NEQ)
        and not dialect.conditions_are_values
        and node.right == exp.Literal.number(0)
    ):
        # Ibis compares conditions with 0, but a condition is no value there.
        return condition if isinstance(condition := node.left.unnest(), COMPARISON) else node
    return node


def _folded_case(case: exp.Case) -> exp.Expression:
    if not case.this:
        tests = [test for test in case.args["ifs"] if _truth(test.this) is not False]
        if not tests:
            return case.args.get("default") or exp.Null()
        if _truth(tests[0].this):
            return tests[0].args["true"]
        case.set("ifs", tests)
    if isinstance(case.args.get("default"), exp.Null):
        case.set("default", None)
    return case


def _truth(node: exp.Expression) -> bool | None:
    """Whether a comparison of constants holds; None where it is something else."""
    if (
        isinstance(node, exp.Is)
        and isinstance(node.this, exp.Literal)
        and isinstance(node.expression, exp.Null)
    ):
        return False
    sides = (node.left, node.right) if isinstance(node, exp.EQ | exp.GTE) else ()
    if not sides or not all(isinstance(side, exp.Literal) and side.is_int for side in sides):
        return None
    left, right = (int(side.name) for side in sides)
    return left == right if isinstance(node, exp.EQ) else left >= right


_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d:\d\d)(?:\.0+)?)?")


def _moment(node: exp.Func, dialect: Dialect) -> str | None:
    """The text of a day or moment that the compiler spelled as a call over constants."""
    texts = [leaf.name for leaf in node.find_all(exp.Literal)]
    if node.find(exp.Column) or node.find(exp.Query) or not texts:
        return None
    name = (
        "CAST"
        if isinstance(node, exp.Cast)
        else (node.name if isinstance(node, exp.Anonymous) else node.sql_name()).upper()
    )
    written = {name, node.sql(dialect.compiled_grammar).split("(")[0].upper()}
    for spelled, parts, is_day in ((dialect.day, 3, True), (dialect.moment, 6, False)):
        if spelled not in written:
            continue
        if isinstance(node, exp.Cast):
            kind = "DATE" if is_day else dialect.moment_type
            if not re.fullmatch(rf"{kind}(\(\d+\))?", node.to.sql(dialect.compiled_grammar)):
                continue  # such as a timestamp with a time zone
        found = [match for text in texts if (match := _MOMENT.fullmatch(text))]
        if len(found) == 1 and bool(found[0][2]) != is_day:
            return found[0][1] if is_day else f"{found[0][1]} {found[0][2]}"
        numbers = [float(text) for text in texts if re.fullmatch(r"[\d.]+", text)]
        if (
            len(numbers) == len(texts) >= parts
            and all(n.is_integer() for n in numbers)
            and not any(numbers[6:])
        ):
            year, *rest = (int(n) for n in numbers)
            day = f"{year:04}-{rest[0]:02}-{rest[1]:02}"
            return day if is_day else f"{day} {rest[2]:02}:{rest[3]:02}:{rest[4]:02}"
    return None


_RANKS = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.Ntile)


def count_ranks_from_one(tree: exp.Query) -> None:
    """Ibis counts from 0 and prints `RANK() - 1`: `(RANK() - 1) + 1` is `RANK()`, and `RANK() - 1 < 3` is `RANK() <= 3`."""
    for window in list(tree.find_all(exp.Window)):
        minus = window.parent
        if (
            not isinstance(window.this, _RANKS)
            or not isinstance(minus, exp.Sub)
            or minus.right != exp.Literal.number(1)
        ):
            continue
        whole = minus.parent if isinstance(minus.parent, exp.Paren) else minus
        outer = whole.parent
        if isinstance(outer, exp.Add) and outer.left is whole and outer.right == exp.Literal.number(1):
            if isinstance(outer.parent, exp.Paren):
                outer = outer.parent
            outer.replace(window)
        elif (
            isinstance(outer, exp.EQ | exp.LT | exp.LTE | exp.GT | exp.GTE)
            and outer.left is whole
            and outer.right.is_int
        ):
            bound = int(outer.right.name)
            if isinstance(outer, exp.LT):  # RANK() - 1 < 3 is RANK() <= 3, and RANK() - 1 < 1 is RANK() = 1
                kind = exp.EQ if bound == 1 else exp.LTE
                outer.replace(kind(this=window, expression=exp.Literal.number(bound)))
            else:
                outer.set("this", window)
                outer.set("expression", exp.Literal.number(bound + 1))
