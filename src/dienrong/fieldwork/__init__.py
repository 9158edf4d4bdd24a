"""Fieldwork: who takes part, from the letter to the school until the last session is reported."""
