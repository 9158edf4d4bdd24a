"""Every public name of lsakit is documented: its parameters, the shape of each array, what it refuses."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import pytest
from numpydoc.docscrape import FunctionDoc

import lsakit


def modules() -> Iterator[str]:
    for found in pkgutil.walk_packages(lsakit.__path__, "lsakit."):
        if "__main__" not in found.name and ".cli" not in found.name:
            yield found.name


def public_functions() -> Iterator[tuple[str, Any]]:
    for module_name in modules():
        module = importlib.import_module(module_name)
        for label, value in vars(module).items():
            if label.startswith("_") or getattr(value, "__module__", "") != module_name:
                continue
            inner = getattr(value, "py_func", value)
            if inspect.isfunction(inner):
                yield f"{module_name}.{label}", inner


FUNCTIONS = dict(public_functions())


@pytest.mark.parametrize("label", sorted(FUNCTIONS))
def test_a_function_documents_each_parameter(label: str) -> None:
    function = FUNCTIONS[label]
    text = inspect.getdoc(function) or ""
    assert text, f"{label} has no docstring"
    if ".kernels." in label:
        return  # kernels: shapes are checked below, the rest is said by the function that calls them
    described = FunctionDoc(function)
    names = {part.strip().lstrip("*") for entry in described["Parameters"] for part in entry.name.split(",")}
    signature = {word for word in inspect.signature(function).parameters if word != "self"}
    assert names == signature, f"{label}: signature {sorted(signature)}, documented {sorted(names)}"


ARRAY = re.compile(r"\b(ndarray|array)\b(?!-)")


@pytest.mark.parametrize("label", sorted(FUNCTIONS))
def test_every_array_has_a_shape(label: str) -> None:
    described = FunctionDoc(FUNCTIONS[label])
    for entry in [*described["Parameters"], *described["Returns"]]:
        if ARRAY.search(entry.type):
            assert "of shape (" in entry.type, f"{label}: '{entry.name} : {entry.type}' says no shape"


def exported() -> list[str]:
    return [word for word in lsakit.__all__ if not word.startswith("_")]


@pytest.mark.parametrize("word", exported())
def test_a_public_name_loads_and_is_documented(word: str) -> None:
    value = getattr(lsakit, word)
    assert (inspect.getdoc(value) or "").strip(), f"lsakit.{word} has no docstring"


def test_a_missing_shape_is_found() -> None:
    """Negative control: the shape rule fires on an array without one."""

    def broken(values: Any) -> None:
        """Do nothing.

        Parameters
        ----------
        values : ndarray
            Numbers.
        """

    entry = FunctionDoc(broken)["Parameters"][0]
    assert ARRAY.search(entry.type)
    assert "of shape (" not in entry.type
