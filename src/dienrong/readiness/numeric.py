"""The Word files of this room, written by ``lsakit``; plain values alone, the ORM is never seen here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lsakit.tables import OfficialForm, WordBlock, WordDocument
from lsakit.tables import word_file as write_word


def word_file(
    blocks: Sequence[Mapping[str, Any]], *, form: Mapping[str, Any], title: str, subtitle: str
) -> bytes:
    """Write an official document in Vietnamese, in the form of Decree 30/2020/NĐ-CP.

    Parameters
    ----------
    blocks : sequence of mapping
        The parts, as ``lsakit.tables.WordBlock`` names them.
    form : mapping
        What stands around the text, as ``lsakit.tables.OfficialForm`` names it.
    title, subtitle : str
        Title, and the line below.

    Returns
    -------
    bytes
        A ``.docx`` file.
    """
    document = WordDocument(
        title=title,
        subtitle=subtitle,
        blocks=tuple(WordBlock(**one) for one in blocks),
        language="vi",
        form=OfficialForm(**form),
    )
    return write_word(document)
