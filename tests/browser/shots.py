"""``make shots``: pictures of every page of the demonstration, per role, size and language, and as printed.

They go to ``build/shots/<language>/<person>-<page>-<size>.png`` and are looked at before an issue is resolved.
``python tests/browser/shots.py [tiny|small|national] [ADDRESS]``; with an address a running site is visited.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from site_under_test import SIZES, addresses, browsing, missing, open_page, overflow, serving

SHOTS = Path(__file__).resolve().parents[2] / "build" / "shots"


@contextmanager
def visited(size: str, address: str) -> Iterator[str]:
    """Give the address of the site: the running one, or one that is built for the pictures."""
    if address:
        yield address.rstrip("/")
        return
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "site", size) as built:
        yield built


def main(size: str = "small", address: str = "") -> int:
    reason = missing()
    if reason:
        print(f"No pictures: {reason}.")
        return 2
    wide = 0
    with browsing() as chromium, visited(size, address) as site:
        expert = open_page(chromium, site, person="bo")
        found = addresses(expert)
        expert.context.close()
        for language in ("vi", "en"):
            for person, pages in found.items():
                for frame in SIZES:
                    wide += _shoot(chromium, site, person, pages, frame, language)
    print(f"Pictures stand in {SHOTS.relative_to(SHOTS.parents[1])}; {wide} pages overflow sideways.")
    return 1 if wide else 0


def _shoot(chromium, site: str, person: str, pages: dict[str, str], frame: str, language: str) -> int:
    """Take the pictures of one person at one size in one language; give how many pages overflow."""
    folder = SHOTS / language
    folder.mkdir(parents=True, exist_ok=True)
    page = open_page(chromium, site, person=person, size=frame, language=language)
    wide = 0
    for name, address in pages.items():
        page.goto(address)
        wide += overflow(page) > 0
        page.screenshot(path=folder / f"{person or 'public'}-{name}-{frame}.png", full_page=True)
        if frame == "desk":
            page.pdf(path=folder / f"{person or 'public'}-{name}-print.pdf", prefer_css_page_size=True)
    page.context.close()
    print(f"{language} {person or 'public'} {frame}: {len(pages)} pages")
    return wide


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
