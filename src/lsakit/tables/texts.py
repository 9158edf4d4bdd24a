"""The words of tables, figures and reports, in Vietnamese and English, kept as data."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from lsakit.errors import LsakitError

LANGUAGES = ("vi", "en")


@cache
def _catalogue(language: str) -> dict[str, str]:
    """Read the texts of one language, of all its files, as a flat mapping of dotted keys."""
    flat: dict[str, str] = {}

    def walk(prefix: str, node: dict[str, Any]) -> None:
        for key, value in node.items():
            name = f"{prefix}.{key}" if prefix else key
            if isinstance(value, dict):
                walk(name, value)
            elif name in flat:
                raise LsakitError(f"The text {name!r} stands twice in the files of {language!r}.", param=name)
            else:
                flat[name] = str(value)

    folder = files("lsakit.tables").joinpath("texts")
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name == f"{language}.toml" or file.name.endswith(f".{language}.toml"):
            walk("", tomllib.loads(file.read_text(encoding="utf-8")))
    return flat


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts and number formats of one language.

    Parameters
    ----------
    language : str
        ``"vi"`` or ``"en"``.

    Raises
    ------
    LsakitError
        If the language is neither.

    Examples
    --------
    >>> Texts("vi").number(1234.5, 1)
    '1.234,5'
    >>> Texts("en").number(-0.04, 1)
    '0.0'
    """

    language: str

    def __post_init__(self) -> None:
        if self.language not in LANGUAGES:
            raise LsakitError(
                f"The 'language' parameter must be one of {', '.join(LANGUAGES)}. Got {self.language!r}.",
                param="language",
                got=self.language,
            )

    def say(self, key: str, **values: object) -> str:
        """Give the text of a key, with its values filled in."""
        catalogue = _catalogue(self.language)
        if key not in catalogue:
            raise LsakitError(f"The text {key!r} is missing in {self.language}.toml.", param=key)
        return catalogue[key].format(**values) if values else catalogue[key]

    def has(self, key: str) -> bool:
        """Tell whether a key has a text."""
        return key in _catalogue(self.language)

    def number(self, value: float, digits: int = 0) -> str:
        """Write a number with the language's decimal and thousands marks; never minus zero."""
        written = f"{round(value, digits) + 0.0:,.{digits}f}"
        if float(written.replace(",", "")) == 0:
            written = written.lstrip("-")
        written = written.replace("-", "−")
        return written.translate(str.maketrans(",.", ".,")) if self.language == "vi" else written

    def share(self, value: float) -> str:
        """Write a share between 0 and 1 as a percentage with one decimal."""
        return f"{self.number(100 * value, 1)}%"

    def group(self, by: str, value: str) -> str:
        """Name a group, such as gender ``F``; a value without a text stands for itself."""
        key = f"group.{by}.{value}"
        return self.say(key) if self.has(key) else value

    def subject(self, population: str, subject: str) -> str:
        """Name a subject in a grade: reading is Tiếng Việt in grade 5, Ngữ văn in grade 9."""
        return self.say(f"subject.{population}.{subject}")
