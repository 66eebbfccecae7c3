"""Purging after `safe`, pieces of large cases, outcomes, and the hash of each audit link by name."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("audit", sa.Column("alg", sa.String(16), nullable=False, server_default="sha256"))
    op.add_column("cases", sa.Column("purged", sa.DateTime(), nullable=True))
    op.add_column("outbox", sa.Column("safe_at", sa.DateTime(), nullable=True))
    op.create_table(
        "part",
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("delivered", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("sha256", name="pk_part"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_part_case_id", ondelete="RESTRICT"),
    )
    op.create_index("ix_part_case_id", "part", ["case_id"])
    op.create_table(
        "outcome",
        sa.Column("case_id", sa.String(36), nullable=False),
        sa.Column("case_number", sa.Text(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("case_id", name="pk_outcome"),
    )


def downgrade() -> None:
    """Refused while anything was purged: older software would take the missing bytes for a loss."""
    purged = op.get_bind().scalar(sa.text("SELECT count(*) FROM cases WHERE purged IS NOT NULL"))
    if purged:
        raise RuntimeError("cases were purged; the file cannot go back to older software")
    op.drop_table("outcome")
    op.drop_index("ix_part_case_id", "part")
    op.drop_table("part")
    op.drop_column("outbox", "safe_at")
    op.drop_column("cases", "purged")
    op.drop_column("audit", "alg")
