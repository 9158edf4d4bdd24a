"""Scorecard: data that are correct, complete, clean and fresh (đúng, đủ, sạch, sống)."""
