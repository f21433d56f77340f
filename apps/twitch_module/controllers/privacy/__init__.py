"""Privacy, over HTTP."""
