"""Reads of the scorecard: the registry as columns for the engine, and what the pages show."""

from __future__ import annotations
