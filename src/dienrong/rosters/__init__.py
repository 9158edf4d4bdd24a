"""Rosters: pupils, teachers and managers per school and school year; names in a vault of their own."""
