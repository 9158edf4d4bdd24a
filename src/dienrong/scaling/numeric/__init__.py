"""Columns and tables to lsakit and back, for the scaling room; no ORM here, so that runs can leave the web process."""
