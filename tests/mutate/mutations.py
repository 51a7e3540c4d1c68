"""Mutants of a module: one comparison, condition, number, operator or statement changed in each."""

import ast
import copy
from collections.abc import Iterator
from typing import NamedTuple

_COMPARISONS = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_OPERATORS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr}


class Mutant(NamedTuple):
    """A module with one change."""

    line: int
    what: str
    source: str


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of a module, in the order of its lines."""
    tree = ast.parse(source)
    places = [node for node in ast.walk(tree) if hasattr(node, "lineno")]
    documentation = _documentation(tree)
    for number, node in enumerate(places):
        for what, change in _changes(node):
            if id(node) in documentation:
                continue
            changed = copy.deepcopy(tree)
            twin = [one for one in ast.walk(changed) if hasattr(one, "lineno")][number]
            change(twin)
            yield Mutant(node.lineno, what, ast.unparse(ast.fix_missing_locations(changed)))


def _documentation(tree: ast.AST) -> set[int]:
    """Nodes that only people read: texts that stand alone, texts of errors, annotations."""
    found: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            found.add(id(node))
        for name in ("annotation", "returns"):
            part = getattr(node, name, None)
            if isinstance(part, ast.AST):
                found |= {id(one) for one in ast.walk(part)}
        if isinstance(node, ast.JoinedStr):
            found |= {id(one) for one in ast.walk(node)}
    return found


def _changes(node: ast.AST):
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARISONS:
        yield "comparison turned", lambda twin: twin.ops.__setitem__(0, _COMPARISONS[type(twin.ops[0])]())
    if isinstance(node, ast.BoolOp):
        other = ast.Or if isinstance(node.op, ast.And) else ast.And
        yield "and / or exchanged", lambda twin: setattr(twin, "op", other())
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "not dropped", lambda twin: _become(twin, ast.Call(ast.Name("bool", ast.Load()), [twin.operand], []))
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        yield "operator exchanged", lambda twin: setattr(twin, "op", _OPERATORS[type(twin.op)]())
    if isinstance(node, ast.Constant) and isinstance(node.value, int) and not isinstance(node.value, bool):
        yield "number raised", lambda twin: setattr(twin, "value", twin.value + 1)
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield "truth turned", lambda twin: setattr(twin, "value", not twin.value)
    if isinstance(node, ast.If):
        yield "condition always true", lambda twin: setattr(twin, "test", ast.Constant(True))
        yield "condition never true", lambda twin: setattr(twin, "test", ast.Constant(False))
    if isinstance(node, ast.Raise):
        yield "raise dropped", lambda twin: _become(twin, ast.Pass())
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield "call dropped", lambda twin: _become(twin, ast.Pass())
    if isinstance(node, ast.Break | ast.Continue):
        yield "jump dropped", lambda twin: _become(twin, ast.Pass())


def _become(node: ast.AST, other: ast.AST) -> None:
    """Make `node` another kind of node, in its place."""
    place = {name: getattr(node, name) for name in ("lineno", "col_offset") if hasattr(node, name)}
    if isinstance(other, ast.Call):
        other = copy.deepcopy(other)
    node.__dict__.clear()
    node.__class__ = type(other)  # type: ignore[assignment]
    node.__dict__.update({**other.__dict__, **place})
