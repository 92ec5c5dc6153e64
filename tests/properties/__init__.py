"""Properties: whatever the rows, the keys, the size of a batch and the moment of death, the end is one statement's."""
