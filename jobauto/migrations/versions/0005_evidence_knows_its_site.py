"""evidence knows its site

Revision ID: 0005
Revises: 0004
Create Date: 2026-11-24 21:10:00.000000
"""

import sqlalchemy as sa
from alembic import op

from jobauto.models.types import Instant, Kwh, PrimaryKey

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.rename_table("job_reading", "job_reading_before")
    _give_way()
    op.create_table(
        "job_reading",
        sa.Column("site_key", PrimaryKey, autoincrement=False, nullable=False),
        sa.Column("job_id", PrimaryKey, autoincrement=False, nullable=False),
        sa.Column("reading_date", Instant(), nullable=False),
        sa.Column("reading_value", Kwh(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_job_reading_job_id")),
        sa.PrimaryKeyConstraint("site_key", "job_id", "reading_date", name=op.f("pk_job_reading")),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO job_reading (site_key, job_id, reading_date, reading_value) "
        "SELECT job.site_key, job.id, reading_date, reading_value "
        "FROM job_reading_before JOIN job ON job.id = job_id ORDER BY 1, 2, 3"
    )
    op.drop_table("job_reading_before")


def downgrade() -> None:
    op.rename_table("job_reading", "job_reading_before")
    _give_way()
    op.create_table(
        "job_reading",
        sa.Column("job_id", PrimaryKey, autoincrement=False, nullable=False),
        sa.Column("reading_date", Instant(), nullable=False),
        sa.Column("reading_value", Kwh(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_job_reading_job_id")),
        sa.PrimaryKeyConstraint("job_id", "reading_date", name=op.f("pk_job_reading")),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO job_reading (job_id, reading_date, reading_value) "
        "SELECT job_id, reading_date, reading_value FROM job_reading_before ORDER BY 1, 2"
    )
    op.drop_table("job_reading_before")


def _give_way() -> None:
    # On PostgreSQL the name of a primary key is that of an index, of which the schema has one.
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE job_reading_before DROP CONSTRAINT pk_job_reading")
