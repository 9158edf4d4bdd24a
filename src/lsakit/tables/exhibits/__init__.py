"""Exhibits and sentences of which reports are made; ``catalogue`` names them, ``compose`` puts them together."""
