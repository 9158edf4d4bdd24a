"""Static files with their hash in the name once they are collected, under their plain name before."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedWhenCollected(CompressedManifestStaticFilesStorage):
    """Name files by content after ``collectstatic`` (which ``serve`` runs); plain names in tests."""

    def stored_name(self, name: str) -> str:
        """Give the hashed name, or the plain one of a file that was not collected yet."""
        if self.hash_key(self.clean_name(name)) not in self.hashed_files:
            return name
        return str(super().stored_name(name))
