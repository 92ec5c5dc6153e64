"""Add users.profile_picture.

The schema alone: nobody has a picture yet.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("users", sa.Column("profile_picture", sa.String(200), nullable=True))


def downgrade() -> None:
    op.drop_column("users", "profile_picture")
