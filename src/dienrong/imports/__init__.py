"""Imports: files of officers, matched, previewed, accepted and taken back."""
