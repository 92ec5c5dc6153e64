"""Running: a transform's run from its admission to its last sweep, and what others may ask of it meanwhile."""
