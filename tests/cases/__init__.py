"""Real data steps of 25 projects: their facts, their declarations, and the proof that each survives a kill."""
