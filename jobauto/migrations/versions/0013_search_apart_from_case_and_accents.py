"""search apart from case and accents

Revision ID: 0013
Revises: 0012
Create Date: 2026-11-26 08:50:00
"""

from collections.abc import Iterable
from itertools import groupby

import sqlalchemy as sa
from alembic import op

from jobauto.models.folding import fold, fold_texts
from jobauto.storage.pieces import pieces

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

CHUNK = 10_000
SEARCHED_NOTES = 20_000
"""Characters of a job's."""
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
    sites = sa.select(SITE.c.key, SITE.c.site_id, SITE.c.site_name, SITE.c.group).order_by(SITE.c.key)
    last = 0
    while piece := next(pieces(connection.execute(sites.where(SITE.c.key > last).limit(CHUNK)), CHUNK), []):
        connection.execute(
            folded,
            [
                {"of": key, "text": fold_texts(site_id, name), "place": fold(group)}
                for key, site_id, name, group in piece
            ],
        )
        last = piece[-1][0]


def _fold_notes(connection: sa.Connection) -> None:
    found = sa.select(EVENT.c.subject_id, EVENT.c.after).where(
        EVENT.c.subject == "job", EVENT.c.field == "note"
    )
    notes = connection.execute(found.order_by(EVENT.c.subject_id, EVENT.c.id.desc()))
    texts = (
        (int(job_id), _folded(of_job)) for job_id, of_job in groupby(notes, lambda note: note.subject_id)
    )
    folded = sa.update(JOB).where(JOB.c.id == sa.bindparam("of")).values(search_notes=sa.bindparam("text"))
    for piece in pieces(texts, CHUNK):
        connection.execute(folded, [{"of": job_id, "text": text} for job_id, text in piece])


def _folded(newest_first: Iterable[sa.Row[tuple[str, str | None]]]) -> str:
    """The notes of a job as ``fold_texts`` makes them: of very many the newest, as of those written since."""
    texts: list[str] = []
    length = 0
    for _, note in newest_first:
        if length < SEARCHED_NOTES:
            texts.append(fold(note or ""))
            length += len(texts[-1]) + 1
    return " ".join(reversed(texts))[-SEARCHED_NOTES:]
