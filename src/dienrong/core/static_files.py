"""Static files with their hash in the name once they are collected, under their plain name before."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedWhenCollected(CompressedManifestStaticFilesStorage):
    """Name files by content after ``collectstatic`` (which ``serve`` runs); plain names in tests."""

    def stored_name(self, name: str) -> str:
        """Give the hashed name, or the plain one where nothing was collected yet."""
        if not self.hashed_files:
            return name
        return str(super().stored_name(name))
