"""Pure rules: bytes, dicts and the time in; values and decisions out. No input or output."""
