"""What is kept of a person, and what is left after an erasure."""
