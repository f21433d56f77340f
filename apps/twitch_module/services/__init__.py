"""What the module does, as classes that get their collaborators as arguments."""
