"""The words of released files, in Vietnamese and English, kept as data."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from lsakit.errors import LsakitError

LANGUAGES = ("vi", "en")


@cache
def _catalog(name: str, language: str) -> dict[str, str]:
    """Read one file of texts as a flat mapping of dotted keys."""
    flat: dict[str, str] = {}

    def walk(prefix: str, node: dict[str, Any]) -> None:
        for key, value in node.items():
            full = f"{prefix}.{key}" if prefix else key
            if isinstance(value, dict):
                walk(full, value)
            else:
                flat[full] = str(value)

    source = files("lsakit.release").joinpath("texts", f"{name}.{language}.toml")
    walk("", tomllib.loads(source.read_text(encoding="utf-8")))
    return flat


def say(key: str, language: str, *, catalog: str = "variables", **values: object) -> str:
    """Give a text.

    Parameters
    ----------
    key : str
        Dotted key.
    language : {"vi", "en"}
        Language.
    catalog : str, default "variables"
        Which file of texts.
    **values : object
        What stands in the places ``{…}``.

    Returns
    -------
    str
        The text.

    Raises
    ------
    LsakitError
        If there is no such text.

    Examples
    --------
    >>> say("value.SECTOR.1", "vi"), say("value.SECTOR.1", "en")
    ('Công lập', 'Public')
    """
    found = _catalog(catalog, language).get(key)
    if found is None:
        raise LsakitError(f"There is no text {key!r} in {catalog}.{language}.", param=key)
    return found.format(**values) if values else found


def both(key: str) -> tuple[str, str]:
    """Give a text of the variables in both languages.

    Parameters
    ----------
    key : str
        Dotted key.

    Returns
    -------
    tuple of str
        Vietnamese and English.
    """
    return say(key, "vi"), say(key, "en")
