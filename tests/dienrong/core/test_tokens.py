"""The visual language keeps its promises: contrast, weight, local assets."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from dienrong import core

STATIC = Path(core.__file__).parent / "static" / "core"
LIMIT = 150 * 1024

TEXT_ON = [
    ("ink", "paper"), ("ink", "ground"), ("ink", "accent-soft"), ("ink", "warn-soft"), ("ink", "good-soft"),
    ("ink", "bad-soft"), ("muted", "paper"), ("muted", "ground"), ("muted", "accent-soft"), ("accent", "paper"),
    ("accent", "ground"), ("accent", "accent-soft"), ("accent-dark", "accent-soft"), ("accent-dark", "paper"),
    ("on-accent", "accent"), ("on-accent", "accent-dark"), ("good", "paper"), ("good", "ground"),
    ("good", "good-soft"), ("warn", "paper"), ("warn", "ground"), ("warn", "warn-soft"), ("bad", "paper"),
    ("bad", "ground"), ("bad", "bad-soft"),
]  # fmt: skip
SHAPES_ON = [
    ("line-strong", "paper"), ("line-strong", "ground"), ("focus", "paper"), ("focus", "ground"),
    ("good", "accent-soft"), ("warn", "accent-soft"), ("accent", "accent-soft"), ("muted", "accent-soft"),
]  # fmt: skip


def tokens() -> dict[str, str]:
    css = (STATIC / "tokens.css").read_text(encoding="utf-8")
    return dict(re.findall(r"--([a-z0-9-]+):\s*(#[0-9a-f]{6})\b", css))


def luminance(color: str) -> float:
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_measure_itself() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize(("text", "back"), TEXT_ON)
def test_text_can_be_read(text: str, back: str) -> None:
    assert contrast(tokens()[text], tokens()[back]) >= 4.5, f"{text} on {back}"


@pytest.mark.parametrize(("shape", "back"), SHAPES_ON)
def test_edges_of_controls_can_be_seen(shape: str, back: str) -> None:
    assert contrast(tokens()[shape], tokens()[back]) >= 3.0, f"{shape} on {back}"


def test_the_colors_are_those_of_the_visual_language() -> None:
    given = tokens()
    assert given["ink"] == "#1b2430"
    assert given["accent"] == "#0b5cab"
    assert given["bad"] == "#b3261e"


def test_every_variable_that_is_used_exists() -> None:
    defined = set(re.findall(r"(--[a-z0-9-]+):", (STATIC / "tokens.css").read_text(encoding="utf-8")))
    used = set(re.findall(r"var\((--[a-z0-9-]+)\)", (STATIC / "base.css").read_text(encoding="utf-8")))
    assert used <= defined


def test_all_assets_are_local() -> None:
    room = Path(core.__file__).parent
    for file in [*STATIC.glob("*.*"), *room.rglob("*.html")]:
        content = file.read_text(encoding="utf-8")
        addresses = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+", content)) - {"http://www.w3.org"}
        assert not addresses, f"{file.name} names {addresses}"


def test_fonts_and_icons_stand_beside_their_licences() -> None:
    fonts = STATIC / "fonts"
    assert "SIL OPEN FONT LICENSE" in (fonts / "OFL.txt").read_text(encoding="utf-8").upper()
    assert len(list(fonts.glob("*.woff2"))) == 6
    icons = Path(core.__file__).parent / "templates" / "core" / "icons"
    assert "MIT License" in (icons / "LICENSE").read_text(encoding="utf-8")


@pytest.mark.django_db
def test_the_first_load_is_light(visitor) -> None:
    """Page, styles, scripts and all six font files together, as sent: at most 150 KiB."""
    from django.contrib.staticfiles import finders

    page = visitor.get("/dang-nhap").content
    total = len(gzip.compress(page))
    for address in re.findall(r'(?:href|src)="/static/([^"]+)"', page.decode()):
        found = finders.find(address)
        assert found, address
        total += len(gzip.compress(Path(found).read_bytes()))
    total += sum(file.stat().st_size for file in (STATIC / "fonts").glob("*.woff2"))
    assert total <= LIMIT, f"{total / 1024:.0f} KiB"
