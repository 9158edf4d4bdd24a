"""A letter of the kit as a Word file in the form of Decree 30/2020; lsakit writes it."""

from __future__ import annotations

from lsakit.tables import OfficialForm, WordBlock, WordDocument
from lsakit.tables import word_file as write_word


def letter(*, title: str, body: str, agency: str, authority: str) -> bytes:
    """Write a letter as a Word file; number, day and signer stay open for the office that issues it."""
    blocks = tuple(
        WordBlock(kind="paragraph", text=line.strip()) for line in body.splitlines() if line.strip()
    )
    form = OfficialForm(agency=agency.upper(), authority=(authority,) if authority else ())
    return write_word(WordDocument(title=title, blocks=blocks, language="vi", form=form))
