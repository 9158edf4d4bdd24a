"""Schools of the token's units."""

from __future__ import annotations

from ninja import Router

router = Router()
