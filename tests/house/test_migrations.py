"""Migrations are named, none is pending, each can be taken back."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

import pytest

pytest.importorskip("django", reason="the web extra is not installed")
pytestmark = pytest.mark.web

REPOSITORY = Path(__file__).resolve().parents[2]


def migrations() -> list[Path]:
    return sorted((REPOSITORY / "src" / "dienrong").glob("*/migrations/[0-9]*.py"))


def test_there_are_migrations() -> None:
    assert len(migrations()) >= 5


@pytest.mark.parametrize("path", migrations(), ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_a_migration_has_a_telling_name(path: Path) -> None:
    assert re.fullmatch(r"\d{4}_[a-z][a-z0-9_]+", path.stem)
    assert "_auto_" not in path.stem
    assert not re.fullmatch(r"\d{4}_(alter|add|remove)_\w+_and_more", path.stem)


@pytest.mark.parametrize("path", migrations(), ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_a_migration_can_be_taken_back(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for call in re.findall(r"migrations\.RunPython\(([^)]*)\)", text):
        assert "," in call or "reverse_code" in call, f"{path.name} runs Python without a way back"
    for call in re.findall(r"migrations\.RunSQL\(", text):
        assert "reverse_sql" in text, f"{path.name} runs SQL without a way back: {call}"


@pytest.mark.django_db
def test_no_migration_is_pending() -> None:
    from django.core.management import call_command

    out = StringIO()
    call_command("makemigrations", "--check", "--dry-run", stdout=out)
    assert "No changes detected" in out.getvalue()
