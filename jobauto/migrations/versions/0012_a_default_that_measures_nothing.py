"""a default that measures nothing

Revision ID: 0012
Revises: 0011
Create Date: 2026-11-26 08:40:00
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from jobauto.clock import utcnow
from jobauto.models.types import Instant

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

SECTION, NAME = "NO_COMS", "description_template"
FORMER = "No readings for {days_threshold} days from {site_name}"
NEW = "No readings from {site_name} (last reading: {last_reading})"

VERSIONS = sa.table(
    "settings_version",
    sa.column("version", sa.Integer),
    sa.column("document", sa.JSON),
    sa.column("changed_at", Instant()),
    sa.column("changed_by", sa.String),
    sa.column("slots_owed_from", Instant()),
)
RUNS = sa.table("run", sa.column("id"))
EVENTS = sa.table(
    "event",
    sa.column("at", Instant()),
    sa.column("subject"),
    sa.column("subject_id"),
    sa.column("field"),
    sa.column("before"),
    sa.column("after"),
)


def upgrade() -> None:
    """Runs keep the settings that they used. What left the default to the program meant the former one, so
    it is written there; then a new version begins, as if somebody had saved the new default."""
    connection = op.get_bind()
    has_runs = connection.scalar(sa.select(RUNS.c.id).limit(1)) is not None
    last = None
    # One by one: nobody knows how long their documents are.
    for version in connection.scalars(sa.select(VERSIONS.c.version).order_by(VERSIONS.c.version)).all():
        row = connection.execute(sa.select(VERSIONS).where(VERSIONS.c.version == version)).one()
        if not (row.document or has_runs):
            continue  # a new database: its defaults are of today
        if NAME not in row.document.get(SECTION, {}):
            said = sa.update(VERSIONS).where(VERSIONS.c.version == version)
            connection.execute(said.values(document=_with(row.document, FORMER)))
        last = row
    if last is not None and last.document.get(SECTION, {}).get(NAME, FORMER) == FORMER:
        _begin_version(connection, last)


def downgrade() -> None:
    """The settings stay: the former program reads them as well."""


def _begin_version(connection: sa.Connection, last: Any) -> None:
    now, version = utcnow(), last.version + 1
    connection.execute(
        sa.insert(VERSIONS).values(
            version=version,
            document=_with(last.document, NEW),
            changed_at=now,
            slots_owed_from=last.slots_owed_from,
        )
    )
    changed = {"field": f"{SECTION}.{NAME}", "before": FORMER, "after": NEW}
    connection.execute(
        sa.insert(EVENTS).values(at=now, subject="settings", subject_id=str(version), **changed)
    )


def _with(document: dict[str, Any], template: str) -> dict[str, Any]:
    return document | {SECTION: document.get(SECTION, {}) | {NAME: template}}
