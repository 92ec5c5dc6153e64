"""The forms that a transform may have, one file each."""

from backfill.declaration.forms.batch import BatchForm
from backfill.declaration.forms.columns import ColumnsForm
from backfill.declaration.forms.row import RowForm
from backfill.declaration.forms.seed import SeedForm
from backfill.declaration.forms.step import StepForm

__all__ = ["BatchForm", "ColumnsForm", "RowForm", "SeedForm", "StepForm"]
