"""incidents

Revision ID: 0029
Revises: 0028
Create Date: 2026-11-26 14:40:00
"""

import sqlalchemy as sa
from alembic import op

from jobauto.models.types import Instant, PrimaryKey
from jobauto.storage.citus import is_distributed

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

ONE_OPEN_JOB_BEFORE = "status <> 'closed' AND duplicate_checked"
ONE_OPEN_JOB = f"{ONE_OPEN_JOB_BEFORE} AND covers IS NULL"
ONE_INCIDENT = sa.text("state = 'covering'")
ONE_COVER = sa.text("ended_at IS NULL")
NOT_RECOVERED = sa.text("recovered_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "incident",
        sa.Column("job_id", PrimaryKey, autoincrement=False, nullable=False),
        sa.Column("site_key", PrimaryKey, nullable=False),
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("job_type", sa.String(length=50), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_incident")),
    )
    where = {"sqlite_where": ONE_INCIDENT, "postgresql_where": ONE_INCIDENT}
    op.create_index("uq_incident_covering", "incident", ["source", "job_type"], unique=True, **where)
    op.create_index("ix_incident_source", "incident", ["source"])
    op.create_table(
        "cover",
        sa.Column("site_key", PrimaryKey, autoincrement=False, nullable=False),
        sa.Column("job_id", PrimaryKey, autoincrement=False, nullable=False),
        sa.Column("run_id", PrimaryKey, nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("closed_by", sa.String(length=100), nullable=True),
        sa.Column("recovered_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("site_key", "job_id", name=op.f("pk_cover")),
    )
    where = {"sqlite_where": ONE_COVER, "postgresql_where": ONE_COVER}
    op.create_index("uq_cover_site", "cover", ["site_key"], unique=True, **where)
    op.create_index("ix_cover_job", "cover", ["job_id"])
    where = {"sqlite_where": NOT_RECOVERED, "postgresql_where": NOT_RECOVERED}
    op.create_index("ix_cover_unrecovered", "cover", ["site_key"], **where)
    if is_distributed(op.get_bind()):
        op.execute("SELECT create_distributed_table('cover', 'site_key', colocate_with => 'site')")
    op.add_column("job", sa.Column("covers", sa.Integer(), nullable=True))
    _one_open_job(ONE_OPEN_JOB)
    op.add_column("run_rule", sa.Column("covered", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    """An incident becomes a job of its own site, beside others of it; the former program opens those of the
    sites that it covered."""
    op.drop_column("run_rule", "covered")
    op.execute("UPDATE job SET duplicate_checked = false WHERE covers IS NOT NULL")
    _one_open_job(ONE_OPEN_JOB_BEFORE)
    op.drop_column("job", "covers")
    op.drop_table("cover")
    op.drop_table("incident")


def _one_open_job(condition: str) -> None:
    where = {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}
    op.drop_index("uq_job_open", "job")
    op.create_index("uq_job_open", "job", ["site_key", "job_type"], unique=True, **where)
