"""People, roles, scope and sign-in; the one place where permission is decided."""
