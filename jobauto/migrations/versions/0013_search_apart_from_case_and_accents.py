"""search apart from case and accents

Revision ID: 0013
Revises: 0012
Create Date: 2026-11-26 08:50:00
"""

import sqlalchemy as sa
from alembic import op

from jobauto.models.folding import fold, fold_texts

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

CHUNK = 10_000
IS_OPEN = sa.text("status <> 'closed'")
COLUMNS = (("site", "search_text"), ("site", "search_group"), ("job", "search_notes"))

SITE = sa.table(
    "site",
    *(sa.column(name) for name in ("key", "site_id", "site_name", "group", "search_text", "search_group")),
)
JOB = sa.table("job", *(sa.column(name) for name in ("id", "site_key", "search_notes")))
EVENT = sa.table("event", *(sa.column(name) for name in ("id", "subject", "subject_id", "field", "after")))


def upgrade() -> None:
    for table, name in COLUMNS:
        op.add_column(table, sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.create_index("ix_job_open_id", "job", ["id"], sqlite_where=IS_OPEN, postgresql_where=IS_OPEN)
    connection = op.get_bind()
    _fold_sites(connection)
    _fold_notes(connection)


def downgrade() -> None:
    op.drop_index("ix_job_open_id", table_name="job")
    for table, name in COLUMNS:
        op.drop_column(table, name)


def _fold_sites(connection: sa.Connection) -> None:
    folded = (
        sa.update(SITE)
        .where(SITE.c.key == sa.bindparam("of"))
        .values(search_text=sa.bindparam("text"), search_group=sa.bindparam("place"))
    )
    last = 0
    while rows := connection.execute(
        sa.select(SITE.c.key, SITE.c.site_id, SITE.c.site_name, SITE.c.group)
        .where(SITE.c.key > last)
        .order_by(SITE.c.key)
        .limit(CHUNK)
    ).all():
        connection.execute(
            folded,
            [
                {"of": key, "text": fold_texts(site_id, name), "place": fold(group)}
                for key, site_id, name, group in rows
            ],
        )
        last = rows[-1].key


def _fold_notes(connection: sa.Connection) -> None:
    notes: dict[int, list[str]] = {}
    found = sa.select(EVENT.c.subject_id, EVENT.c.after).where(
        EVENT.c.subject == "job", EVENT.c.field == "note"
    )
    for job_id, note in connection.execute(found.order_by(EVENT.c.id)):
        notes.setdefault(int(job_id), []).append(note or "")
    folded = sa.update(JOB).where(JOB.c.id == sa.bindparam("of")).values(search_notes=sa.bindparam("text"))
    if notes:
        connection.execute(
            folded, [{"of": job_id, "text": fold_texts(*texts)} for job_id, texts in notes.items()]
        )
