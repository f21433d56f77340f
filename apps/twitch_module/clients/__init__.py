"""Calls out over HTTP: deadlines, size limits, and one class for each other side."""
