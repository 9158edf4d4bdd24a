"""Registry: administrative units and schools, once, with their validity."""
