"""Templates in the roster say where they come from and when they were taken.

Rows of before stay readable; the revision is there so that older software, which cannot read the new ones, refuses the file.
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_roster = sa.table("roster", sa.column("number", sa.Text()), sa.column("templates", sa.Text()))


def upgrade() -> None:
    pass


def downgrade() -> None:
    connection = op.get_bind()
    for number, templates in connection.execute(sa.select(_roster.c.number, _roster.c.templates)).all():
        short = json.dumps([one[:2] for one in json.loads(templates)])
        connection.execute(_roster.update().where(_roster.c.number == number).values(templates=short))
