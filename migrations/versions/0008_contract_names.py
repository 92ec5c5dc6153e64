"""Contract: nobody is without users.first_name and users.last_name.

users.full_name stays: its parts do not give it back exactly.
"""

import sqlalchemy as sa
from alembic import op

from backfill.alembic import require_backfill

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    require_backfill("split_full_name")
    with op.batch_alter_table("users") as users:
        users.alter_column("first_name", existing_type=sa.String(200), nullable=False)
        users.alter_column("last_name", existing_type=sa.String(200), nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("users") as users:
        users.alter_column("first_name", existing_type=sa.String(200), nullable=True)
        users.alter_column("last_name", existing_type=sa.String(200), nullable=True)
