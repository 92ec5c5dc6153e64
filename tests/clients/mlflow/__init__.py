"""MLflow: its own tables, a million metrics, and two of its data steps."""
