"""The forms a transform can have."""

from backfill.declaration.forms.columns import ColumnsForm
from backfill.declaration.forms.row import RowForm

__all__ = ["ColumnsForm", "RowForm"]
