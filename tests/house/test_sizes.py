"""Small enough to read: modules, functions, parameters, test files (house, section 7)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
MODULE_LINES = 600
FUNCTION_LINES = 80
PARAMETERS = 7

# Each exemption has its reason; the list may only shrink.
EXEMPT_FUNCTIONS: dict[str, str] = {}
EXEMPT_MODULES: dict[str, str] = {}


def python_files(*folders: str) -> Iterator[Path]:
    for folder in folders:
        for path in sorted((REPOSITORY / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of a function without its docstring."""
    first = node.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    doc = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
    return (node.end_lineno or 0) - node.lineno + 1 - doc


def name(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


@pytest.mark.parametrize("path", list(python_files("src", "tests", "benchmarks")), ids=name)
def test_a_module_stays_under_600_lines(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MODULE_LINES or name(path) in EXEMPT_MODULES, f"{name(path)} has {lines} lines: split it"


@pytest.mark.parametrize("path", list(python_files("src")), ids=name)
def test_a_function_stays_under_80_lines_and_7_parameters(path: Path) -> None:
    for node in functions(path):
        label = f"{name(path)}::{node.name}"
        if label in EXEMPT_FUNCTIONS:
            continue
        assert body_lines(node) <= FUNCTION_LINES, (
            f"{label} has {body_lines(node)} lines: two ideas live in it"
        )
        every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        counted = [argument for argument in every if argument.arg not in ("self", "cls")]
        kernel = (
            "kernels" in path.parts or node.name == "__init__"
        )  # compiled code cannot take option classes
        assert len(counted) <= PARAMETERS or kernel, f"{label} takes {len(counted)} parameters: make options"


def test_exemptions_are_still_needed() -> None:
    for label in EXEMPT_FUNCTIONS:
        path, _, function = label.partition("::")
        found = [node for node in functions(REPOSITORY / path) if node.name == function]
        assert found, f"{label} is exempt but gone: take it off the list"
        assert any(body_lines(node) > FUNCTION_LINES for node in found), f"{label} is short now: take it off"
    for label in EXEMPT_MODULES:
        assert len((REPOSITORY / label).read_text(encoding="utf-8").splitlines()) > MODULE_LINES, label


def test_no_module_is_a_drawer() -> None:
    drawers = {"utils", "helpers", "manager", "common", "misc", "old"}
    found = [name(path) for path in python_files("src") if path.stem in drawers or path.stem.endswith("2")]
    assert not found, f"modules named after nothing: {found}"
