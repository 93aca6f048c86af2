"""The lessons as data: checks, hints and explanations."""
