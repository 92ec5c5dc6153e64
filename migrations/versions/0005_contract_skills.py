"""Contract: nobody is without users.skills."""

import sqlalchemy as sa
from alembic import op

from backfill.alembic import require_backfill

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    require_backfill("default_skills")
    with op.batch_alter_table("users") as users:
        users.alter_column("skills", existing_type=sa.JSON(), nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("users") as users:
        users.alter_column("skills", existing_type=sa.JSON(), nullable=True)
