"""The REST API: what pages offer to people, offered to machines."""
