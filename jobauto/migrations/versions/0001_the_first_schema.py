"""the first schema

Revision ID: 0001
Revises:
Create Date: 2026-11-24 08:20:21.022732
"""

import sqlalchemy as sa
from alembic import op

from jobauto.clock import utcnow
from jobauto.models.types import Instant, Kwh, PrimaryKey

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "event",
        sa.Column("id", PrimaryKey, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("who", sa.String(length=100), nullable=True),
        sa.Column("subject", sa.String(length=20), nullable=False),
        sa.Column("subject_id", sa.String(length=100), nullable=False),
        sa.Column("field", sa.String(length=100), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    op.create_index("ix_event_subject", "event", ["subject", "subject_id", "id"], unique=False)
    op.create_index("ix_event_who", "event", ["who", "id"], unique=False)

    op.create_table(
        "import",
        sa.Column("id", PrimaryKey, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("filename", sa.String(length=200), nullable=False),
        sa.Column("kept_as", sa.String(length=40), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("requested_by", sa.String(length=100), nullable=False),
        sa.Column("requested_at", Instant(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("heartbeat_at", Instant(), nullable=True),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("new", sa.Integer(), nullable=False),
        sa.Column("updated", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("errors", sa.JSON(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import")),
        sa.UniqueConstraint("kept_as", name=op.f("uq_import_kept_as")),
    )
    op.create_index(
        "ix_import_waiting",
        "import",
        ["id"],
        unique=False,
        sqlite_where=sa.text("status IN ('queued', 'running')"),
        postgresql_where=sa.text("status IN ('queued', 'running')"),
    )

    op.create_table(
        "reading",
        sa.Column("site_key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("reading_date", Instant(), nullable=False),
        sa.Column("reading_value", Kwh(), nullable=False),
        sa.PrimaryKeyConstraint(
            "site_key", "reading_date", name=op.f("pk_reading"), postgresql_include=["reading_value"]
        ),
        sqlite_with_rowid=False,
    )
    settings_version = op.create_table(
        "settings_version",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("changed_by", sa.String(length=100), nullable=True),
        sa.Column("slots_owed_from", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_settings_version")),
    )
    op.create_table(
        "site",
        sa.Column("key", PrimaryKey, nullable=False),
        sa.Column("site_id", sa.String(length=50), nullable=False),
        sa.Column("site_name", sa.String(length=200), nullable=False),
        sa.Column("monitored_from", sa.Date(), nullable=True),
        sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("group", sa.String(length=100), server_default="", nullable=False),
        sa.Column("snoozed_until", Instant(), nullable=True),
        sa.Column("snooze_reason", sa.String(length=200), server_default="", nullable=False),
        sa.Column("is_demo", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_site")),
        sa.UniqueConstraint("site_id", name=op.f("uq_site_site_id")),
    )
    op.create_index("ix_site_group", "site", ["group"], unique=False)
    op.create_index(
        "ix_site_is_demo",
        "site",
        ["is_demo"],
        unique=False,
        sqlite_where=sa.text("is_demo"),
        postgresql_where=sa.text("is_demo"),
    )
    op.create_index(
        "ix_site_snoozed",
        "site",
        ["snoozed_until"],
        unique=False,
        sqlite_where=sa.text("snoozed_until IS NOT NULL"),
        postgresql_where=sa.text("snoozed_until IS NOT NULL"),
    )

    op.create_table(
        "user",
        sa.Column("id", PrimaryKey, nullable=False),
        sa.Column("username", sa.String(length=100), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("session_key", sa.String(length=64), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        sa.UniqueConstraint("session_key", name=op.f("uq_user_session_key")),
        sa.UniqueConstraint("username", name=op.f("uq_user_username")),
    )
    op.create_table(
        "api_token",
        sa.Column("id", PrimaryKey, nullable=False),
        sa.Column("user_id", PrimaryKey, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("last_used_at", Instant(), nullable=True),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_api_token_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_token_token_hash")),
    )
    op.create_index(op.f("ix_api_token_user_id"), "api_token", ["user_id"], unique=False)

    op.create_table(
        "run",
        sa.Column("id", PrimaryKey, nullable=False),
        sa.Column("trigger", sa.String(length=20), nullable=False),
        sa.Column("requested_by", sa.String(length=100), nullable=True),
        sa.Column("as_of", Instant(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.Column("heartbeat_at", Instant(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("slot", sa.Date(), nullable=True),
        sa.Column("settings_version", sa.Integer(), nullable=False),
        sa.Column("is_demo", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(
            ["settings_version"], ["settings_version.version"], name=op.f("fk_run_settings_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    op.create_index("ix_run_finished", "run", ["finished_at"], unique=False)
    op.create_index(
        "uq_run_running",
        "run",
        ["status"],
        unique=True,
        sqlite_where=sa.text("status = 'running'"),
        postgresql_where=sa.text("status = 'running'"),
    )
    op.create_index(
        "uq_run_slot",
        "run",
        ["slot"],
        unique=True,
        sqlite_where=sa.text("slot IS NOT NULL AND status <> 'crashed'"),
        postgresql_where=sa.text("slot IS NOT NULL AND status <> 'crashed'"),
    )

    op.create_table(
        "job",
        sa.Column("id", PrimaryKey, nullable=False),
        sa.Column("site_key", PrimaryKey, nullable=False),
        sa.Column("rule", sa.String(length=50), nullable=False),
        sa.Column("job_type", sa.String(length=50), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("priority", sa.String(length=20), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("assignee", sa.String(length=100), nullable=True),
        sa.Column("resolution", sa.String(length=20), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("run_id", PrimaryKey, nullable=False),
        sa.Column("duplicate_checked", sa.Boolean(), nullable=False),
        sa.Column("since", Instant(), nullable=True),
        sa.Column("days", sa.Integer(), nullable=True),
        sa.Column("queue", sa.String(length=100), nullable=False),
        sa.Column("instructions", sa.Text(), nullable=False),
        sa.Column("touched", sa.Boolean(), nullable=False),
        sa.Column("closed_by", sa.String(length=100), nullable=True),
        sa.Column("recovered_at", Instant(), nullable=True),
        sa.Column("recovered_run_id", PrimaryKey, nullable=True),
        sa.Column("zero_count", sa.Integer(), nullable=True),
        sa.Column("value", Kwh(), nullable=True),
        sa.ForeignKeyConstraint(["recovered_run_id"], ["run.id"], name=op.f("fk_job_recovered_run_id")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_job_run_id")),
        sa.ForeignKeyConstraint(["site_key"], ["site.key"], name=op.f("fk_job_site_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    op.create_index("ix_job_created", "job", ["created_at", "rule"], unique=False)
    op.create_index("ix_job_queue", "job", ["queue"], unique=False)
    op.create_index("ix_job_run", "job", ["run_id"], unique=False)
    op.create_index("ix_job_site", "job", ["site_key", "job_type"], unique=False)
    op.create_index(
        "ix_job_still_open",
        "job",
        ["rule", "site_key"],
        unique=False,
        sqlite_where=sa.text("status <> 'closed'"),
        postgresql_where=sa.text("status <> 'closed'"),
    )
    op.create_index(
        "ix_job_unrecovered",
        "job",
        ["rule", "site_key"],
        unique=False,
        sqlite_where=sa.text("recovered_at IS NULL"),
        postgresql_where=sa.text("recovered_at IS NULL"),
    )
    op.create_index(
        "uq_job_open",
        "job",
        ["site_key", "job_type"],
        unique=True,
        sqlite_where=sa.text("status <> 'closed' AND duplicate_checked"),
        postgresql_where=sa.text("status <> 'closed' AND duplicate_checked"),
    )

    op.create_table(
        "run_rule",
        sa.Column("run_id", PrimaryKey, nullable=False),
        sa.Column("rule", sa.String(length=50), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("checked", sa.Integer(), nullable=False),
        sa.Column("flagged", sa.Integer(), nullable=False),
        sa.Column("not_assessable", sa.Integer(), nullable=False),
        sa.Column("created", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_run_rule_run_id")),
        sa.PrimaryKeyConstraint("run_id", "rule", name=op.f("pk_run_rule")),
    )
    op.create_table(
        "job_reading",
        sa.Column("job_id", PrimaryKey, autoincrement=False, nullable=False),
        sa.Column("reading_date", Instant(), nullable=False),
        sa.Column("reading_value", Kwh(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_job_reading_job_id")),
        sa.PrimaryKeyConstraint("job_id", "reading_date", name=op.f("pk_job_reading")),
        sqlite_with_rowid=False,
    )

    # The default settings, in force from now: no slot before this moment is owed.
    now = utcnow()
    op.bulk_insert(
        settings_version, [{"version": 1, "document": {}, "changed_at": now, "slots_owed_from": now}]
    )


def downgrade() -> None:
    for table in (
        "job_reading",
        "run_rule",
        "job",
        "run",
        "api_token",
        "user",
        "site",
        "settings_version",
        "reading",
        "import",
        "event",
    ):
        op.drop_table(table)
