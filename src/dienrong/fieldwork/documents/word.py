"""Documents as Word files in the form of official documents; lsakit writes them, through numeric."""

from __future__ import annotations

from typing import Any

from dienrong.fieldwork import numeric
from dienrong.fieldwork.documents.document import Block, Document


def docx(document: Document) -> bytes:
    """Write a document as a Word file; the same document gives the same bytes."""
    return numeric.word_file(
        [_part(one) for one in document.blocks],
        is_official=bool(document.head),
        title=document.title,
        subtitle=document.subtitle,
        source_line=document.source_line,
        language=document.language,
        is_landscape=document.is_landscape,
    )


def _part(block: Block) -> dict[str, Any]:
    """Turn a block into the words of the writer; a figure is told by its title and its note."""
    if block.kind == "figure":
        note = block.rows[0][0]
        words = {"alternative": f"{block.text}. {note}", "note": note, "svg": block.svg}
        return {"kind": "figure", "text": block.text, **words}
    names = ("kind", "text", "columns", "rows", "widths")
    return {name: getattr(block, name) for name in names}
