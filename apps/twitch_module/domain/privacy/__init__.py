"""Taking a person out of what is kept."""
