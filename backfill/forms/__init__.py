"""The forms a transform can have."""

from backfill.forms.columns import ColumnsForm
from backfill.forms.row import RowForm

__all__ = ["ColumnsForm", "RowForm"]
