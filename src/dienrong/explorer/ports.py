"""What other rooms offer to the public portal: files to download, documents beside the reports.

They register providers when they start::

    ports.register_downloads(provider)    # () -> iterable of Download
    ports.register_documents(provider)    # (cycle) -> iterable of Download, such as a press note
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """One thing that everyone may take."""

    title: str
    url: str
    text: str = ""
    size: str = ""


DownloadsProvider = Callable[[], Iterable[Download]]
DocumentsProvider = Callable[[Any], Iterable[Download]]

_downloads: list[DownloadsProvider] = []
_documents: list[DocumentsProvider] = []


def register_downloads(provider: DownloadsProvider) -> None:
    """Add a provider of public files, once."""
    if provider not in _downloads:
        _downloads.append(provider)


def register_documents(provider: DocumentsProvider) -> None:
    """Add a provider of documents of a published cycle, once."""
    if provider not in _documents:
        _documents.append(provider)


def downloads() -> list[Download]:
    """List the public files of all rooms."""
    return [found for provider in _downloads for found in provider()]


def documents(cycle: Any) -> list[Download]:
    """List the documents of a published cycle."""
    return [found for provider in _documents for found in provider(cycle)]
