"""From checked code to code objects, in which every step that could do harm goes through a guard.

The guards' names are signs, so that no code can call, hide or replace them.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterable, Mapping
from types import CodeType
from typing import Any, TypeVar

from ibert_builder.errors import ForbiddenCode
from ibert_builder.sandbox.arithmetic import GROWING, bounded, bounded_range, bounded_round, small
from ibert_builder.sandbox.check import check
from ibert_builder.sandbox.members import member
from ibert_builder.sandbox.policy import STRICT, Rules

LONGEST = 5_000  # characters of code; the longest of a template has 700
_MEMBER, _SMALL, _ASSIGNABLE = ".", "[]", "[]="

Node = TypeVar("Node", bound=ast.expr)


def compile_code(code: str, names: Iterable[str], rules: Rules = STRICT) -> tuple[CodeType | None, CodeType]:
    """Parse, check and compile code whose last statement is its result.

    Returns:
        The statements before the last one (None where there are none), and the last one as an expression.

    Raises:
        SyntaxError: the code does not parse, or does not end in an expression or an assignment to one name.
        ForbiddenCode: it does something forbidden.
    """
    if len(code) > LONGEST:
        raise ForbiddenCode(f"the code is too long: {len(code)} characters (at most {LONGEST})")
    try:
        tree = ast.parse(code)
    except (RecursionError, MemoryError) as error:
        raise ForbiddenCode("the code is nested too deeply to be parsed") from error
    except ValueError as error:  # in Python 3.10 and 3.11, a null character
        raise SyntaxError(str(error)) from error
    check(tree, names, rules)
    last = tree.body[-1] if tree.body else None
    if isinstance(last, ast.Assign) and len(last.targets) == 1:
        tree.body[-1] = last = ast.copy_location(ast.Expr(last.value), last)
    if not isinstance(last, ast.Expr):
        raise SyntaxError("the code should end in an expression")
    _Guarding().visit(tree)
    before = _compiled(ast.Module(tree.body[:-1], []), "exec") if len(tree.body) > 1 else None
    return before, _compiled(ast.Expression(last.value), "eval")


def _compiled(tree: ast.Module | ast.Expression, mode: str) -> CodeType:
    # Without the `annotations` of this module, which would become texts that Ibis evaluates past all guards.
    code: CodeType = compile(tree, "<template>", mode, dont_inherit=True)
    return code


class _Guarding(ast.NodeTransformer):
    """Puts guards around attributes, operators that grow, and whatever makes a value of Python's own."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if not isinstance(node.ctx, ast.Load) or _root(node) in (
            "ibis",
            "s",
        ):  # paths that `check` went through
            return node
        self.generic_visit(node)
        return _call(_MEMBER, node, node.value, ast.Constant(node.attr), ast.Constant(node.lineno))

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        if type(node.op) not in GROWING:
            return node
        return _call(GROWING[type(node.op)][0], node, node.left, node.right)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt:
        assert isinstance(node.target, ast.Name)  # `check` refuses others
        value = ast.BinOp(ast.Name(node.target.id, ast.Load()), node.op, node.value)
        assigned = ast.Assign([node.target], ast.copy_location(value, node))
        return self.generic_visit(ast.copy_location(assigned, node))  # type: ignore[return-value]

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.ctx, ast.Store):
            node.value = _call(_ASSIGNABLE, node, node.value)
        return node

    def _made(self, node: Node) -> ast.expr:
        self.generic_visit(node)
        is_made = isinstance(getattr(node, "ctx", None) or ast.Load(), ast.Load)
        return _call(_SMALL, node, node) if is_made else node

    visit_Call = visit_List = visit_Tuple = visit_Set = visit_Dict = visit_JoinedStr = _made
    visit_ListComp = visit_SetComp = visit_DictComp = _made


def _call(guard: str, place: ast.AST, *arguments: ast.expr) -> ast.expr:
    call = ast.Call(ast.Name(guard, ast.Load()), list(arguments), [])
    return ast.fix_missing_locations(ast.copy_location(call, place))


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _assignable(owner: Any) -> Any:
    if isinstance(owner, list | dict):
        raise ForbiddenCode("an item of a list or dict may not be assigned to")
    return owner


_GUARDS: Mapping[str, Callable[..., Any]] = {
    _MEMBER: member,
    _SMALL: small,
    _ASSIGNABLE: _assignable,
    **{sign: bounded(sign, operation) for sign, operation in GROWING.values()},
}
_BOUNDED: Mapping[str, Callable[..., Any]] = {"range": bounded_range, "round": bounded_round}


def builtins_for(rules: Rules) -> dict[str, Any]:
    """What code finds as Python's builtins: those of its rules, and the guards."""
    found = {name: getattr(builtins, name) for name in rules.builtins if hasattr(builtins, name)}
    return {**found, **{name: guard for name, guard in _BOUNDED.items() if name in found}, **_GUARDS}
