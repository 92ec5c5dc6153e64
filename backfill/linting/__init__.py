"""Linting: reads revisions and transforms as text, and says which of them would hurt. No database, no engine."""
