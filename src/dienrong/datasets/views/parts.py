"""What the pages of the room share: finding things, forms, and files that go out part by part."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import get_language

from dienrong.core.refusals import Refusal
from dienrong.datasets import queries
from dienrong.datasets.models import Release

PART = 1 << 18
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
KINDS = {
    ".zip": "application/zip", ".sav": "application/x-spss-sav", ".dta": "application/x-stata-dta", ".csv": "text/csv; charset=utf-8",
    ".json": "application/json; charset=utf-8", ".xml": "application/xml", ".md": "text/markdown; charset=utf-8",
    ".R": "text/plain; charset=utf-8", ".py": "text/plain; charset=utf-8",
}  # fmt: skip


def release_or_404(request: HttpRequest, key: int) -> Release:
    """Give a release that the person may read about; to others it does not exist."""
    found = queries.release_for(request.user, key)
    if found is None:
        raise Http404
    return found


def language_now() -> str:
    """Give the reader's language as lsakit names it."""
    return "en" if (get_language() or "vi").startswith("en") else "vi"


def told(form: Any, refusal: Refusal) -> None:
    """Show a refusal in the error summary of a form."""
    form.add_error(None, f"{refusal.sentence} {refusal.hint}".strip())


def form_page(request: HttpRequest, form: Any, **context: Any) -> HttpResponse:
    """Show a page that is one form: title, button, back; and lead, hint, is_dangerous, is_public where given."""
    status = 422 if form.errors else 200
    return render(request, "datasets/form.html", {"form": form, **context}, status=status)


def _span(asked: str, size: int) -> tuple[int, int] | None:
    """Read a Range of one part; None where it cannot be served."""
    match = _RANGE.fullmatch(asked.strip())
    if match is None or not any(match.groups()):
        return None
    first, last = match.groups()
    start = int(first) if first else max(0, size - int(last))
    stop = min(size - 1, int(last)) if first and last else size - 1
    return (start, stop) if start <= stop and start < size else None


def _bytes(path: Path, start: int, n: int) -> Iterator[bytes]:
    """Read a stretch of a file part by part."""
    with path.open("rb") as stream:
        stream.seek(start)
        while n > 0 and (part := stream.read(min(PART, n))):
            n -= len(part)
            yield part


def stream_file(request: HttpRequest, path: Path, *, name: str, is_private: bool = False) -> Any:
    """Give a file part by part; a broken download goes on where it stopped, by Range."""
    if not path.is_file():
        raise Http404
    size = path.stat().st_size
    asked = request.headers.get("Range", "")
    span = _span(asked, size) if asked else (0, size - 1)
    if span is None:
        refused = HttpResponse(status=416)
        refused["Content-Range"] = f"bytes */{size}"
        return refused
    start, stop = span
    n = max(0, stop - start + 1)
    body: Any = _bytes(path, start, n) if request.method != "HEAD" else iter(())
    kind = KINDS.get(Path(name).suffix, "application/octet-stream")
    response = StreamingHttpResponse(body, status=206 if asked else 200, content_type=kind)
    response["Content-Length"] = str(n)
    response["Accept-Ranges"] = "bytes"
    response["Content-Encoding"] = "identity"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    if asked:
        response["Content-Range"] = f"bytes {start}-{stop}/{size}"
    response["Cache-Control"] = "no-store" if is_private else "public, max-age=3600"
    return response
