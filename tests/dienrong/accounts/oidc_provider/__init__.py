"""A provider of OpenID Connect, run as a process of its own by the tests of sign-in."""
