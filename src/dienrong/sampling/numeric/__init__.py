"""Frames, plans and draws as plain values and files; lsakit does the counting, no ORM here."""
