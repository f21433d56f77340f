"""Showing a person what is kept of them, and taking them out of it."""
