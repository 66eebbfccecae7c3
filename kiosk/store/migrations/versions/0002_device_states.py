"""How every device is, for the other processes."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "device",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("kind", name="pk_device"),
        sa.CheckConstraint("state IN ('ready', 'degraded', 'offline', 'unknown')", name="ck_device_state"),
    )


def downgrade() -> None:
    op.drop_table("device")
    op.execute("DELETE FROM setting WHERE name = 'terminal_alive'")
