"""The migrations make what the models say, from nothing and back to nothing, on both databases."""

from datetime import timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import delete, inspect, select, text, update
from sqlalchemy.exc import IntegrityError

from jobauto.audit.service import Author
from jobauto.auth.service import issue_token
from jobauto.auth.tokens import NewToken
from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.models import ApiToken, JobReading, User
from jobauto.models.job import SORTED_NULL_FIRST
from jobauto.settings import service as settings
from jobauto.settings.schema import Settings
from jobauto.storage.connections import MIGRATIONS
from jobauto.storage.migrating import is_compared
from tests.databases import Postgresql, Sqlite, application, opened
from tests.fleets import NOON, add_site, daily, run_noon
from tests.migrating import downgrade, upgrade
from tests.people import add_cast


@pytest.fixture
def empty(engine: Sqlite | Postgresql) -> str:
    """The address of a database without any table."""
    return engine.empty()


def test_models_and_migrations_agree(empty: str) -> None:
    app = application(empty)
    with app.app_context():
        upgrade()
        with db.engine.connect() as connection:
            context = MigrationContext.configure(
                connection, opts={"compare_type": True, "include_object": is_compared}
            )
            assert compare_metadata(context, db.metadata) == []
        db.engine.dispose()


def test_conditions_of_partial_indexes_agree(empty: str) -> None:
    """Which Alembic does not compare, and on which it rests who wins; nor what is sorted with NULL first."""
    app = application(empty)
    with app.app_context():
        upgrade()
        migrated = partial_indexes()
        downgrade(revision="base")
        db.metadata.create_all(db.engine)
        assert partial_indexes() == migrated
        assert set(migrated) >= {"uq_job_open", "uq_run_running", "uq_run_slot", *SORTED_NULL_FIRST}
        db.engine.dispose()


def test_they_lead_from_nothing_to_a_working_database_and_back(empty: str) -> None:
    app = application(empty)
    with app.app_context():
        upgrade()
        assert settings.current().settings == Settings()
        db.session.remove()
        downgrade(revision="base")
        assert set(inspect(db.engine).get_table_names()) <= {"alembic_version"}
        upgrade()
        assert set(db.metadata.tables) <= set(inspect(db.engine).get_table_names())
        db.engine.dispose()


def test_people_and_their_tokens_outlive_the_table_that_is_written_anew(empty: str) -> None:
    """SQLite replaces the table user, to which others refer."""
    app = application(empty)
    at = 0 if empty.startswith("sqlite") else NOON
    user = """INSERT INTO "user" VALUES (7, 'nina', 'hash', 'viewer', :active, 'key', :at)"""
    token = "INSERT INTO api_token VALUES (1, 7, 'laptop', 'hash', :at, NULL, NULL)"
    with app.app_context():
        upgrade(revision="0001")
        with db.engine.begin() as connection:
            connection.execute(text(user), {"active": True, "at": at})
            connection.execute(text(token), {"at": at})
        upgrade()
        owner = select(User.username).join(ApiToken, ApiToken.user_id == User.id)
        for _ in range(2):
            assert db.session.scalars(owner).all() == ["nina"]
            db.session.remove()
            downgrade(revision="0001")
            upgrade()
        with pytest.raises(IntegrityError), db.engine.begin() as connection:
            connection.execute(delete(User))  # foreign keys are on again
        db.engine.dispose()


def test_evidence_keeps_its_readings_when_it_learns_of_its_site(engine: Sqlite | Postgresql) -> None:
    before = str(ScriptDirectory(str(MIGRATIONS)).get_revision("0005").down_revision)
    with engine.fresh() as uri, opened(uri):
        add_site("flat", daily([7, 7, 7, 7]))
        run_noon()
        kept = stored_evidence()
        downgrade(revision=before)
        assert "site_key" not in {column["name"] for column in inspect(db.engine).get_columns("job_reading")}
        upgrade()
        assert stored_evidence() == kept
        assert len(kept) == 4


def test_evidence_keeps_its_readings_when_it_loses_its_foreign_key(engine: Sqlite | Postgresql) -> None:
    with engine.fresh() as uri, opened(uri):
        add_site("flat", daily([7, 7, 7, 7]))
        run_noon()
        kept = stored_evidence()
        downgrade(revision="0007")
        assert [key["name"] for key in inspect(db.engine).get_foreign_keys("job_reading")] == [
            "fk_job_reading_job_id"
        ]
        assert stored_evidence() == kept
        upgrade()
        assert inspect(db.engine).get_foreign_keys("job_reading") == []
        assert stored_evidence() == kept
        assert len(kept) == 4


def test_counts_of_failed_logins_begin_anew_where_one_may_be_no_instant(sqlite: Sqlite) -> None:
    with sqlite.fresh() as uri, opened(uri):
        downgrade(revision="0008")
        with db.engine.begin() as connection:
            connection.execute(
                text("INSERT INTO login_failure VALUES ('x', 1, 0, '2026-11-26 06:00:00.000000')")
            )
        upgrade()
        with db.engine.connect() as connection:
            assert connection.execute(text("SELECT * FROM login_failure")).all() == []


def test_tokens_from_before_may_do_all_for_a_year_and_those_of_the_deactivated_are_revoked(
    engine: Sqlite | Postgresql,
) -> None:
    with engine.fresh() as uri, opened(uri):
        add_cast()
        for name in ("vera", "oscar"):
            issue_token(name, NewToken("logger", "read", days=1), Author(name, NOON))
        before = str(ScriptDirectory(str(MIGRATIONS)).get_revision("0017").down_revision)
        db.session.execute(update(User).where(User.username == "oscar").values(active=False))
        db.session.commit()
        downgrade(revision=before)
        upgrade()
        found = {token.user.username: token for token in db.session.scalars(select(ApiToken))}
        for token in found.values():
            assert (token.scope, token.from_before, token.told_days) == ("full", True, None)
            assert timedelta(days=364) < token.expires_at - utcnow() <= timedelta(days=365)
        assert (found["vera"].revoked_at is None, found["oscar"].revoked_at is None) == (True, False)


def stored_evidence() -> list[tuple[object, ...]]:
    columns = (JobReading.site_key, JobReading.job_id, JobReading.reading_date, JobReading.reading_value)
    with db.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(*columns))]


def partial_indexes() -> dict[str, tuple[object, ...]]:
    found = inspect(db.engine)
    where = f"{db.engine.dialect.name}_where"
    return {
        str(index["name"]): (
            table,
            index["column_names"],
            index["unique"],
            str(index.get("column_sorting")),
            str(index.get("dialect_options", {}).get(where)),
        )
        for table in found.get_table_names()
        for index in found.get_indexes(table)
        if where in index.get("dialect_options", {}) or index["name"] in SORTED_NULL_FIRST
    }
