"""What the registry tells the rooms above it."""

from __future__ import annotations

from django.dispatch import Signal

schools_changed = Signal()
"""Schools were changed; argument ``school_keys``: their primary keys. Sent inside the transaction."""
