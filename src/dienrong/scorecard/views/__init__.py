"""Pages of the scorecard: one module per unit."""

from __future__ import annotations
