"""Every text is in both languages, and what is compiled is what is written."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages import mofile, pofile
from django.apps import apps
from django.conf import settings

ROOMS = [Path(config.path) for config in apps.get_app_configs() if config.name.startswith("dienrong.")]
FILES = [
    room / "locale" / language / "LC_MESSAGES" / "django.po" for room in ROOMS for language in ("vi", "en")
]
PRESENT = [file for file in FILES if file.parent.parent.parent.is_dir()]


def catalog_of(file: Path):
    with file.open("rb") as source:
        return pofile.read_po(source)


def texts_of(message) -> tuple[str, ...]:
    return tuple(message.string) if isinstance(message.string, tuple | list) else (message.string,)


def context_of(message) -> str | None:
    """Give the context of a text; babel reads it from a compiled catalog as bytes."""
    return message.context.decode() if isinstance(message.context, bytes) else message.context


def contents(catalog) -> dict[tuple[str | None, ...], tuple[str, ...]]:
    messages = [message for message in catalog if message.id]
    return {
        (context_of(message), *((message.id,) if isinstance(message.id, str) else message.id)): texts_of(
            message
        )
        for message in messages
    }


def name_of(file: Path) -> str:
    return f"{file.parents[3].name}-{file.parents[1].name}"


def test_every_room_speaks_both_languages() -> None:
    assert {file.parents[3].name for file in FILES if not file.exists()} == set()


@pytest.mark.parametrize("file", PRESENT, ids=name_of)
def test_every_text_is_translated(file: Path) -> None:
    for message in catalog_of(file):
        if message.id:
            assert all(texts_of(message)), f"{message.id!r} has no translation"
            assert not message.fuzzy, f"{message.id!r} is doubtful"


@pytest.mark.parametrize("file", PRESENT, ids=name_of)
def test_what_is_compiled_is_what_is_written(file: Path) -> None:
    with file.with_suffix(".mo").open("rb") as source:
        compiled = mofile.read_mo(source)
    assert contents(compiled) == contents(catalog_of(file))


@pytest.mark.parametrize("file", PRESENT, ids=name_of)
def test_placeholders_survive_translation(file: Path) -> None:
    for message in catalog_of(file):
        if message.id and message.python_format:
            for problem in message.check():
                raise AssertionError(f"{message.id!r}: {problem}")


def two_writings(catalogs: dict[str, dict[tuple[str | None, str], str]]) -> list[str]:
    """Name each text that two rooms write differently: catalogs by room, from (context, text) to its translation."""
    found: dict[tuple[str | None, str], dict[str, list[str]]] = {}
    for room, catalog in catalogs.items():
        for key, text in catalog.items():
            found.setdefault(key, {}).setdefault(text, []).append(room)
    return [
        f"{text!r}{f' in the context {context!r}' if context else ''} is "
        + " but ".join(f"{writing!r} in {', '.join(rooms)}" for writing, rooms in writings.items())
        for (context, text), writings in sorted(found.items(), key=lambda one: (one[0][1], one[0][0] or ""))
        if len(writings) > 1
    ]


def test_a_text_is_written_alike_in_all_rooms() -> None:
    """The catalogs of all rooms are merged: of two writings one would stand on the pages of both rooms."""
    catalogs = {
        file.parents[3].name: {
            (context_of(message), message.id if isinstance(message.id, str) else message.id[0]): " / ".join(
                texts_of(message)
            )
            for message in catalog_of(file)
            if message.id
        }
        for file in PRESENT
        if file.parents[1].name == "vi"
    }
    assert sum(map(len, catalogs.values())) > len(catalogs)
    found = two_writings(catalogs)
    assert not found, "\n".join(
        [
            "Where the meaning is the same, write the same Vietnamese in both rooms; where it differs, give one room "
            "another English text (or a context: pgettext); then run: dienrong manage translations",
            *found,
        ]
    )


def test_two_writings_are_found() -> None:
    plan, other = (None, "Plan"), ("verb", "Plan")
    assert two_writings({"sampling": {plan: "Kế hoạch"}, "fieldwork": {other: "Lên lịch"}}) == []
    assert two_writings({"sampling": {plan: "Kế hoạch"}, "fieldwork": {plan: "Lên lịch", other: "Lập"}}) == [
        "'Plan' is 'Kế hoạch' in sampling but 'Lên lịch' in fieldwork"
    ]
    assert two_writings({"a": {other: "Lập"}, "b": {other: "Lên lịch"}, "c": {other: "Lập"}}) == [
        "'Plan' in the context 'verb' is 'Lập' in a, c but 'Lên lịch' in b"
    ]


NAMES = ("diện rộng", "qđ-ubnd")
"""Proper names and numbers of documents keep their letters in English, as do quoted words."""


def test_english_is_no_mixture() -> None:
    letters = set("ăâđêôơưàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ")
    for file in PRESENT:
        if file.parents[1].name == "en":
            for message in catalog_of(file):
                if message.id:
                    first = re.sub("“[^”]*”", "", texts_of(message)[0]).lower()
                    for name in NAMES:
                        first = first.replace(name, "")
                    assert not letters & set(first), first


@pytest.mark.parametrize("room", ["core", "accounts", "audit", "jobs"])
def test_every_text_of_the_code_is_collected(room: str, tmp_path: Path) -> None:
    """Collect the texts anew in a copy; the copy's catalog knows nothing that the room's does not."""
    import shutil

    if not shutil.which("xgettext"):
        pytest.skip("xgettext (package gettext) is not installed")
    source = next(path for path in ROOMS if path.name == room)
    copy = tmp_path / room
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__", "*.mo", "static"))
    command = [
        sys.executable,
        "-m",
        "django",
        "makemessages",
        "-l",
        "vi",
        "--no-obsolete",
        "--no-location",
        "-v0",
    ]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path), "LC_ALL": "C.UTF-8"}
    subprocess.run(command, cwd=copy, env=environment, check=True)
    fresh = set(contents(catalog_of(copy / "locale/vi/LC_MESSAGES/django.po")))
    kept = set(contents(catalog_of(source / "locale/vi/LC_MESSAGES/django.po")))
    assert fresh == kept, "run: dienrong manage translations"


def test_languages_are_named_in_their_own_words() -> None:
    assert dict(settings.LANGUAGES) == {"vi": "Tiếng Việt", "en": "English"}
