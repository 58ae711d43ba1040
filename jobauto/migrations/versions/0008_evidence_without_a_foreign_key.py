"""evidence without a foreign key

Revision ID: 0008
Revises: 0007
Create Date: 2026-11-25 02:45:00
"""

import sqlalchemy as sa
from alembic import op

from jobauto.models.types import Instant, Kwh, PrimaryKey

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

NAME = "fk_job_reading_job_id"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(NAME, "job_reading", type_="foreignkey")
    else:
        _write_anew()


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.create_foreign_key(NAME, "job_reading", "job", ["job_id"], ["id"])
    else:
        _write_anew(sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f(NAME)))


def _write_anew(*constraints: sa.Constraint) -> None:
    """SQLite takes no constraint from a table."""
    op.rename_table("job_reading", "job_reading_before")
    op.create_table(
        "job_reading",
        sa.Column("site_key", PrimaryKey, autoincrement=False, nullable=False),
        sa.Column("job_id", PrimaryKey, autoincrement=False, nullable=False),
        sa.Column("reading_date", Instant(), nullable=False),
        sa.Column("reading_value", Kwh(), nullable=False),
        *constraints,
        sa.PrimaryKeyConstraint("site_key", "job_id", "reading_date", name=op.f("pk_job_reading")),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO job_reading SELECT * FROM job_reading_before")
    op.drop_table("job_reading_before")
