"""The append-only log of who changed what, written in the transaction of the change."""
