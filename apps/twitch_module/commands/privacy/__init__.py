"""Privacy, on the command line."""
