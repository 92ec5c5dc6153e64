"""Fill users.skills."""

from backfill.alembic import reset_backfill, run_backfill

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    run_backfill("default_skills")


def downgrade() -> None:
    reset_backfill("default_skills")
