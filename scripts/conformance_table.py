"""Write docs/conformance.md: which test of ours holds which of Kubernetes' conformance tests.

    python scripts/conformance_table.py [--check]

Tests say it themselves, by `@pytest.mark.conformance("NAME")`, with the names of Kubernetes v1.36.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAMES = ROOT / "tests/integration/conformance/names.txt"
PAGE = ROOT / "docs/conformance.md"
HEAD = """# Conformance

Kubernetes' own conformance tests say what every cluster must do. This table goes through those of
API machinery, apps, auth, architecture, CLI, instrumentation and scheduling one by one: which test
here asks for the same. `python scripts/conformance_table.py` writes it out of the marks of the
tests, so that it cannot say what is not tested.

| conformance test of v1.36 | held by |
|---|---|
"""


def main() -> int:
    """Write the page, or tell whether it is as it would be written."""
    held = marks()
    names = NAMES.read_text().splitlines()
    if unknown := sorted(set(held) - set(names)):
        print("not the name of a conformance test:", *unknown, sep="\n  ")
        return 1
    rows = [f"| {_cell(name)} | {', '.join(held.get(name, ['**missing**']))} |" for name in names]
    count = sum(name in held for name in names)
    page = f"{HEAD}{chr(10).join(rows)}\n\n{count} of {len(names)} are held.\n"
    if "--check" in sys.argv:
        if PAGE.read_text() != page:
            print("docs/conformance.md is old: python scripts/conformance_table.py")
            return 1
        return 0
    PAGE.write_text(page)
    return 0


def marks() -> dict[str, list[str]]:
    """Return the tests that hold each conformance test, as links."""
    found: dict[str, list[str]] = {}
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        tree = ast.parse(file.read_text())
        constants = _constants(tree)
        for node in tree.body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                for name in _names(node, constants):
                    link = f"[{file.stem}::{node.name}](../{file.relative_to(ROOT)})"
                    found.setdefault(name, []).append(link)
    return found


def _constants(tree: ast.Module) -> dict[str, object]:
    """Return the module's texts and literal lists, which marks may be made of."""
    found: dict[str, object] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                found[node.targets[0].id] = _value(node.value, found)
            except ValueError:
                continue
    return found


def _names(function: ast.AST, constants: dict[str, object]) -> Iterator[str]:
    decorators = getattr(function, "decorator_list", [])
    for decorator in decorators:
        for node in ast.walk(decorator):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "conformance"
            ):
                yield from _texts(node.args[0], decorator, constants)


def _texts(argument: ast.expr, decorator: ast.AST, constants: dict[str, object]) -> Iterator[str]:
    """Yield what an argument says; in a comprehension, once for each of its turns."""
    for node in ast.walk(decorator):
        if isinstance(node, ast.ListComp) and argument in ast.walk(node):
            turn = node.generators[0]
            for each in _list(_value(turn.iter, constants)):
                target = turn.target
                if isinstance(target, ast.Name):
                    yield str(_value(argument, constants | {target.id: each}))
            return
    yield str(_value(argument, constants))


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _value(node: ast.expr, constants: dict[str, object]) -> object:
    """Work out an expression of texts. Raises ValueError for anything else."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name) and node.id in constants:
        return constants[node.id]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return f"{_value(node.left, constants)}{_value(node.right, constants)}"
    if isinstance(node, ast.JoinedStr):
        return "".join(str(_value(part, constants)) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return _value(node.value, constants)
    if isinstance(node, ast.Subscript):
        held, at = _value(node.value, constants), _value(node.slice, constants)
        return held[at] if isinstance(held, (list, tuple)) and isinstance(at, int) else None
    if isinstance(node, (ast.List, ast.Tuple)):
        return [_loose(each, constants) for each in node.elts]
    raise ValueError(ast.dump(node))


def _loose(node: ast.expr, constants: dict[str, object]) -> object:
    try:
        return _value(node, constants)
    except ValueError:
        return None


def _cell(name: str) -> str:
    return name.replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
