"""Every `lsa` line that a document shows is one that the command understands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from lsakit.cli import app as cli

REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENTS = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs" / "manuals").glob("*.md"))]


def shown() -> list[str]:
    lines = []
    for path in DOCUMENTS:
        lines += re.findall(r"^lsa [^\n#]+", path.read_text(encoding="utf-8"), re.MULTILINE)
    return sorted({line.strip() for line in lines} - {"lsa --help"})


@pytest.mark.parametrize("line", shown())
def test_a_shown_command_has_the_options_it_uses(line: str) -> None:
    words = shlex.split(line)
    group = get_command(cli.make_app())
    assert words[1] in group.commands, f"lsa knows no {words[1]}"
    known = {option for parameter in group.commands[words[1]].params for option in parameter.opts}
    used = {word for word in words[2:] if word.startswith("-")}
    assert used <= known, f"{line}: {sorted(used - known)}"


def test_the_documents_show_commands() -> None:
    assert len(shown()) >= 4
