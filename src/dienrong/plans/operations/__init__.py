"""Changes of the room: each is one transaction with its audit entry."""
