"""Fill users.first_name and users.last_name from users.full_name."""

from backfill.alembic import reset_backfill, run_backfill

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    run_backfill("split_full_name")


def downgrade() -> None:
    reset_backfill("split_full_name")
