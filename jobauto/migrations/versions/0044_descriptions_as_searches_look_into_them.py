"""descriptions as searches look into them

Revision ID: 0044
Revises: 0041
Create Date: 2026-11-26 22:20:00
"""

import sqlalchemy as sa
from alembic import op

from jobauto.models.folding import fold
from jobauto.storage.pieces import pieces

revision = "0044"
down_revision = "0041"
branch_labels = None
depends_on = None

CHUNK = 10_000
JOB = sa.table("job", *(sa.column(name) for name in ("id", "site_key", "description", "search_description")))


def upgrade() -> None:
    op.add_column("job", sa.Column("search_description", sa.Text(), nullable=False, server_default=""))
    connection = op.get_bind()
    folded = (
        sa.update(JOB)
        .where(JOB.c.id == sa.bindparam("of"), JOB.c.site_key == sa.bindparam("at"))
        .values(search_description=sa.bindparam("text"))
    )
    jobs = sa.select(JOB.c.id, JOB.c.site_key, JOB.c.description).order_by(JOB.c.id).limit(CHUNK)
    last = 0
    while piece := next(pieces(connection.execute(jobs.where(JOB.c.id > last)), CHUNK), []):
        connection.execute(folded, [{"of": of, "at": at, "text": fold(text)} for of, at, text in piece])
        last = piece[-1][0]


def downgrade() -> None:
    op.drop_column("job", "search_description")
