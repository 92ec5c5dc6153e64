"""Expand: add users.first_name and users.last_name, still empty."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("users", sa.Column("first_name", sa.String(200), nullable=True))
    op.add_column("users", sa.Column("last_name", sa.String(200), nullable=True))


def downgrade() -> None:
    op.drop_column("users", "last_name")
    op.drop_column("users", "first_name")
