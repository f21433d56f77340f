"""Bots that live on borrowed tokens; see README.md beside this."""
