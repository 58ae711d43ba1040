"""qualities of readings

Revision ID: 0024
Revises: 0023
Create Date: 2026-11-26 11:30:00
"""

import sqlalchemy as sa
from alembic import op

from jobauto.models.types import Instant, Kwh, Kwp, PrimaryKey
from jobauto.storage.citus import is_distributed

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

IS_OPEN = sa.text("state = 'open'")
URGENT = sa.text("urgent")
NEW_KEY = "reading_value, quality, meter"
OLD_KEY = "reading_value"


def upgrade() -> None:
    """Nothing that is large is written anew: new columns are constants, and sites are marked, not read."""
    for name in ("quality", "meter"):
        op.add_column("reading", sa.Column(name, sa.SmallInteger(), nullable=False, server_default="0"))
    op.add_column("reading", sa.Column("received", Instant(), nullable=True))
    op.add_column("reading", sa.Column("import_id", sa.BigInteger(), nullable=True))
    op.add_column("job_reading", sa.Column("quality", sa.SmallInteger(), nullable=False, server_default="0"))
    op.add_column("site", sa.Column("source", sa.String(length=100), nullable=False, server_default=""))
    op.add_column("site", sa.Column("capacity_kwp", Kwp(), nullable=True))
    op.add_column("site", sa.Column("measure", sa.String(length=10), nullable=True))
    op.add_column("site", sa.Column("counts", sa.String(length=10), nullable=False, server_default="up"))
    op.create_table(
        "review",
        sa.Column("id", PrimaryKey, nullable=False),
        sa.Column("site_key", sa.BigInteger(), nullable=False),
        sa.Column("is_unsteady", sa.Boolean(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=False),
        sa.Column("readings", sa.Integer(), nullable=False),
        sa.Column("before", Kwh(), nullable=True),
        sa.Column("first", Kwh(), nullable=False),
        sa.Column("last", Kwh(), nullable=False),
        sa.Column("after", Kwh(), nullable=True),
        sa.Column("limit_per_day", Kwh(), nullable=True),
        sa.Column("capacity_too_small", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("decision", sa.String(length=20), nullable=True),
        sa.Column("decided_by", sa.String(length=100), nullable=True),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
        sa.UniqueConstraint(
            "site_key", "started_at", "is_unsteady", name=op.f("uq_review_site_key_started_at_is_unsteady")
        ),
    )
    op.create_index("ix_review_open", "review", ["id"], sqlite_where=IS_OPEN, postgresql_where=IS_OPEN)
    connection = op.get_bind()
    if is_distributed(connection):
        op.execute("ALTER TABLE review DROP CONSTRAINT pk_review")
        op.execute("ALTER TABLE review ADD CONSTRAINT pk_review PRIMARY KEY (site_key, id)")
        op.execute("CREATE INDEX ix_review_id ON review (id)")
        op.execute("SELECT create_distributed_table('review', 'site_key', colocate_with => 'site')")
    op.create_table(
        "to_classify",
        sa.Column("site_key", PrimaryKey, autoincrement=False, nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("site_key", name=op.f("pk_to_classify")),
    )
    op.create_index(
        "ix_to_classify_urgent", "to_classify", ["site_key"], sqlite_where=URGENT, postgresql_where=URGENT
    )
    op.create_table(
        "reading_turn",
        sa.Column("stripe", PrimaryKey, autoincrement=False, nullable=False),
        sa.Column("turn", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("stripe", name=op.f("pk_reading_turn")),
    )
    connection.execute(sa.text("INSERT INTO to_classify (site_key, urgent) SELECT key, false FROM site"))
    # Of a fleet that has readings the index is made anew later, while the program goes on.
    if connection.scalar(sa.text("SELECT 1 FROM reading LIMIT 1")) is None:
        _include(connection, NEW_KEY)


def downgrade() -> None:
    connection = op.get_bind()
    _include(connection, OLD_KEY)
    op.drop_table("reading_turn")
    op.drop_index("ix_to_classify_urgent", table_name="to_classify")
    op.drop_table("to_classify")
    op.drop_index("ix_review_open", table_name="review")
    op.drop_table("review")
    for name in ("counts", "measure", "capacity_kwp", "source"):
        op.drop_column("site", name)
    op.drop_column("job_reading", "quality")
    for name in ("import_id", "received", "meter", "quality"):
        op.drop_column("reading", name)


def _include(connection: sa.Connection, columns: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("ALTER TABLE reading DROP CONSTRAINT pk_reading"))
        connection.execute(
            sa.text(
                "ALTER TABLE reading ADD CONSTRAINT pk_reading "
                f"PRIMARY KEY (site_key, reading_date) INCLUDE ({columns})"
            )
        )
