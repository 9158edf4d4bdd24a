"""Pages on which people sign in, look after their account, and officers after those of others."""
