"""A file that somebody made to harm is refused in a sentence, before the database is locked."""

# ruff: noqa: S608 (statements of our own)

import gzip
import io
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from jobauto.audit.service import Author
from jobauto.extensions import db
from jobauto.imports.profiles import service as profiles
from jobauto.models import Event, ProfileVersion, SettingsVersion
from jobauto.settings import service as settings
from jobauto.settings.policies import Policy
from jobauto.settings.schema import SettingsError
from jobauto.storage import scratch, sent_backup
from jobauto.storage.connections import write
from jobauto.storage.sent_backup import BackupError
from tests.backup.everything import Rows, altered, fill_every_table, put_back, rows_of, taken
from tests.databases import POSTGRESQL, SQLITE, opened
from tests.fleets import NOON
from tests.memory import at_most

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
TOO_LATE = 2**63 - 1
LOOSE = """
    CREATE TABLE loose AS SELECT * FROM "{0}";
    DROP TABLE "{0}";
    ALTER TABLE loose RENAME TO "{0}";
"""
"""The same table without its keys and conditions."""


@dataclass(frozen=True)
class Full:
    """A database with something in every table, and a sound backup of it."""

    uri: str
    rows: Rows
    backup: bytes


@pytest.fixture(scope="module", params=[SQLITE, POSTGRESQL])
def full(request: pytest.FixtureRequest) -> Iterator[Full]:
    """For all tests of a refusal: each ends with just the same rows in it."""
    with request.getfixturevalue(request.param).fresh() as uri, opened(uri) as app:
        fill_every_table(app)
        yield Full(uri, rows_of(uri), taken())


@pytest.mark.parametrize(
    ("statements", "why"),
    [
        pytest.param(
            f"DROP TABLE sent_form; CREATE VIEW sent_form AS {ENDLESS}",
            r"^The file holds sent_form \(view\), which is not of this program\.$",
            id="a view that never ends in a table's place",
        ),
        pytest.param(f"CREATE VIEW more AS {ENDLESS}", r"more \(view\)", id="a view beside the tables"),
        pytest.param(
            "CREATE TRIGGER t AFTER INSERT ON site BEGIN DELETE FROM site; END",
            r"t \(trigger\)",
            id="a trigger",
        ),
        pytest.param(
            "CREATE VIRTUAL TABLE v USING fts4(x)", r"v \(virtual\)|v_\w+ \(shadow\)", id="a virtual table"
        ),
        pytest.param("CREATE TABLE tulip (colour TEXT)", r"tulip \(table\)", id="another table"),
        pytest.param("DROP TABLE sent_form", "The table sent_form is missing.", id="a table less"),
        pytest.param(
            "ALTER TABLE site ADD COLUMN loud GENERATED ALWAYS AS (upper(site_name)) VIRTUAL",
            "The columns of the table site are not those of this program.",
            id="a generated column",
        ),
        pytest.param(
            "ALTER TABLE alembic_version ADD COLUMN loud GENERATED ALWAYS AS (upper(version_num)) VIRTUAL",
            "The columns of the table alembic_version are not those of this program.",
            id="a generated column beside the revision",
        ),
        pytest.param(
            "ALTER TABLE event DROP COLUMN after", "The columns of the table event", id="a column less"
        ),
        pytest.param(
            "PRAGMA writable_schema = ON; "
            "UPDATE sqlite_master SET type = 'table', tbl_name = name, rootpage = 2, "
            f"sql = 'CREATE VIEW sent_form AS {ENDLESS}' WHERE name = 'sent_form'; "
            "DELETE FROM sqlite_master WHERE name LIKE '%index%sent_form%' OR name LIKE 'ix_sent_form%'",
            "no sound backup|sent_form",
            id="a view that says it is a table",
        ),
    ],
)
def test_what_is_no_table_of_ours(full: Full, tmp_path: Path, statements: str, why: str) -> None:
    content = altered(full.backup, statements, tmp_path)
    with pytest.raises(BackupError, match=why):
        put_back(content, replace=True)
    assert rows_of(full.uri) == full.rows


@pytest.mark.any_engine
@pytest.mark.parametrize(
    ("statements", "where"),
    [
        pytest.param("UPDATE user SET role = 'owner'", "user.role", id="an unknown role"),
        pytest.param("UPDATE job SET status = 'done'", "job.status", id="an unknown status"),
        pytest.param("UPDATE user SET rows_a_page = 101", "user.rows_a_page", id="a page of too many jobs"),
        pytest.param(
            """UPDATE settings_version SET document = '{"NO_COMS": 5}'""",
            "settings_version.document",
            id="settings whose section is a number",
        ),
        pytest.param("UPDATE settings_version SET document = '[]'", "settings_version.document", id="a list"),
        pytest.param(
            "UPDATE settings_version SET document = "
            f"""'{{"NO_COMS": {{"x": [{",".join(["[]"] * 50_000)}]}}}}'""",
            "settings_version.document",
            id="settings that each page takes long to read",
        ),
        *(
            pytest.param(
                f"UPDATE settings_version SET policies = '[{','.join(policies)}]'",
                "settings_version.policies",
                id=name,
            )
            for name, policies in (
                ("more policies than there can be", ["{}"] * 1001),
                ("a policy with what no policy says", ['{"x": []}']),
                ("a policy with a list for a value", ['{"NO_COMS": {"queue": []}}']),
            )
        ),
        pytest.param("UPDATE settings_version SET document = '{'", "settings_version.document", id="no JSON"),
        pytest.param(
            "UPDATE profile_version SET document = '{}'",
            "profile_version.document",
            id="an empty profile",
        ),
        pytest.param(
            """UPDATE profile_version SET document = json_set(document, '$.expected_hours', 'x')""",
            "profile_version.document",
            id="a feed that is late after x hours",
        ),
        pytest.param(
            r"""UPDATE profile_version SET document = '{"file": {"kind": "\u0000"}, "site": {}}'""",
            "profile_version.document",
            id="a profile with NUL, which PostgreSQL does not read",
        ),
        pytest.param(
            "UPDATE profile_version SET document = "
            """substr(document, 1, length(document) - 1) || ', "x": NaN}'""",
            "profile_version.document",
            id="what Python takes for JSON, and no database",
        ),
        *(
            pytest.param(
                f"UPDATE {table} SET {column} = '{document}'",
                f"{table}.{column}",
                id=f"a number that is no float in {table}.{column}",
            )
            for table, column, document in (
                ("settings_version", "document", '{"NO_COMS": {"x": 1e400}}'),
                ("settings_version", "policies", '[{"NO_COMS": {"x": -1e400}}]'),
                ("profile_version", "document", '{"file": {"kind": "csv"}, "site": {}, "x": 1e400}'),
                ("import", "preview", '[{"line": 1, "x": 1e400}]'),
                ("import", "preview", f'[{{"line": {"9" * 5000}}}]'),
            )
        ),
        pytest.param(
            """UPDATE profile_version SET document = json_set(document, '$.site.aliases', 5)""",
            "profile_version.document",
            id="a number of other names",
        ),
        pytest.param(
            "UPDATE import SET preview = '[{}]'", "import.preview", id="rows as understood without a line"
        ),
        pytest.param(
            """UPDATE import SET errors = '[["1", "x"]]'""", "import.errors", id="a rejected row of no number"
        ),
        *(
            pytest.param(
                f"UPDATE import SET {column} = '[{','.join([entry] * 1001)}]'",
                f"import.{column}",
                id=f"more than a page shows of {column}",
            )
            for column, entry in (
                ("errors", '[1, "x"]'),
                ("ignore_columns", '"x"'),
                ("ignored_columns", '"x"'),
                ("warnings", '"x"'),
                ("reasons", '"x"'),
                ("preview", '{"line": 1}'),
            )
        ),
        pytest.param("UPDATE draft SET fields = '[7]'", "draft.fields", id="fields without names"),
        pytest.param(
            f"UPDATE draft SET fields = '{'[' * 5000}{']' * 5000}'",
            "draft.fields",
            id="deep JSON",
        ),
        pytest.param("UPDATE outbox SET status = 'lost'", "outbox.status", id="a message in no known state"),
        pytest.param("UPDATE run SET status = 'lost'", "run.status", id="a run in no known state"),
        pytest.param("UPDATE import SET status = 'lost'", "import.status", id="an import in no known state"),
        pytest.param("UPDATE import SET kind = 'odd'", "import.kind", id="an import of no known kind"),
        pytest.param("UPDATE run SET trigger = 'odd'", "run.trigger", id="a run that nothing has started"),
        pytest.param("UPDATE run_rule SET status = 'odd'", "run_rule.status", id="a rule in no known state"),
        pytest.param("UPDATE run_site SET verdict = 'odd'", "run_site.verdict", id="no known verdict"),
        pytest.param("UPDATE run_site SET outcome = 'odd'", "run_site.outcome", id="no known outcome"),
        pytest.param("UPDATE hold SET decision = 'odd'", "hold.decision", id="no known decision"),
        pytest.param("UPDATE outbox SET kind = 'odd'", "outbox.kind", id="a message of no known kind"),
        pytest.param(
            "UPDATE import SET kept_as = '../../site'", "import.kept_as", id="a file in another folder"
        ),
        pytest.param(
            "UPDATE import SET inbox_name = '..%2F..%2fsite'",
            "import.inbox_name",
            id="a file outside of the watched folder",
        ),
        pytest.param(
            "UPDATE profile_version SET name = '../../etc'",
            "profile_version.name",
            id="a profile whose watched folder is another one",
        ),
        pytest.param(
            "UPDATE import SET profile = '../../etc'",
            "import.profile",
            id="an import whose file lies in another folder",
        ),
        pytest.param(
            "UPDATE event SET field = 'snoozed_until', after = '2026-02-31 00:00:00+00:00' WHERE id = 1",
            "event.after",
            id="a site that was snoozed until no day",
        ),
        pytest.param(
            "UPDATE event SET field = 'snoozed_until', after = '9999-12-31 00:00:00+00:00' WHERE id = 1",
            "event.after",
            id="a site that was snoozed until a day that some zones have not",
        ),
        pytest.param(
            "UPDATE event SET field = 'snoozed_until', before = '2026-03-31 00:00:00', after = NULL",
            "event.before",
            id="a site that was snoozed until an instant of no zone",
        ),
        pytest.param(
            "UPDATE user SET password_hash = 'scrypt:4294967296:8:1$salt$00'",
            "user.password_hash",
            id="a password that takes forever to check",
        ),
        pytest.param(
            "UPDATE event SET subject = 'job', subject_id = 'x'", "event.subject_id", id="a job of no number"
        ),
        pytest.param(
            "UPDATE event SET field = 'made_for', after = 'x'", "event.after", id="made for no import"
        ),
        pytest.param(
            "UPDATE event SET field = 'created', after = NULL", "event.field", id="made without a role"
        ),
        pytest.param(
            "UPDATE bulk_action SET action = 'assign', change = '{}'",
            "bulk_action.change",
            id="jobs that were assigned to nobody knows whom",
        ),
        pytest.param(
            "UPDATE event SET subject = 'job', subject_id = '1', field = 'site', bulk_id = 1",
            "event.field",
            id="an action on jobs that has changed what none can give back",
        ),
        pytest.param("UPDATE job SET covers = 3", "job.covers", id="a job of an incident that is not there"),
        pytest.param(
            "UPDATE job SET value = NULL WHERE rule = 'zero_reads'",
            "job.since",
            id="a register that stands at no value",
        ),
        pytest.param(
            "UPDATE job SET status = 'closed', closed_at = created_at, resolution = NULL",
            "job.status",
            id="a job that was closed as nothing",
        ),
        pytest.param(
            "UPDATE job SET recovered_at = created_at, recovered_run_id = NULL",
            "job.recovered_at",
            id="a fault that no run has seen gone",
        ),
        pytest.param(
            "UPDATE address SET sealed = 'é'", "address.sealed", id="a URL that nothing has encrypted"
        ),
        pytest.param(
            "UPDATE second_factor SET secret = 'é'",
            "second_factor.secret",
            id="a secret that nothing has encrypted",
        ),
        pytest.param(
            "UPDATE import SET finished_at = 253402214400000000 - 1",
            "import.finished_at",
            id="an instant too late to add a day to",
        ),
        *(
            pytest.param(
                f"UPDATE {table} SET {more}{column} = printf('%.*c', {length}, '&')",
                f"{table}.{column}",
                id=f"a text longer than any of {table}.{column}",
            )
            for table, more, column, length in (
                ("event", "field = 'groups', subject = 'policy', ", "after", 500_001),
                ("event", "field = 'note', subject = 'site', ", "before", 20_001),
                ("job", "", "description", 20_001),
                ("job", "", "instructions", 20_001),
                ("outbox", "", "body", 500_001),
                ("job_view", "", "query", 2001),
            )
        ),
        pytest.param(
            "UPDATE job_view SET query = 'search=%00'", "job_view.query", id="a view that asks for NUL"
        ),
        pytest.param(
            f"UPDATE reading_turn SET turn = {TOO_LATE}", "reading_turn.turn", id="a turn with no next one"
        ),
        pytest.param("UPDATE reading SET meter = 32767", "reading.meter", id="a meter with no next one"),
        pytest.param("UPDATE user SET active = 'perhaps'", "user.active", id="no switch"),
        pytest.param("UPDATE user SET active = 2", "user.active", id="a switch of three"),
        pytest.param("UPDATE user SET created_at = 'yesterday'", "user.created_at", id="an instant in words"),
        pytest.param(f"UPDATE user SET created_at = {TOO_LATE}", "user.created_at", id="too late an instant"),
        pytest.param(
            f"UPDATE user SET created_at = -{TOO_LATE}", "user.created_at", id="too early an instant"
        ),
        pytest.param("UPDATE user SET created_at = 1.5", "user.created_at", id="half a microsecond"),
        pytest.param("UPDATE site SET monitored_from = '2026-02-31'", "site.monitored_from", id="no day"),
        pytest.param(
            f"UPDATE reading SET reading_value = {TOO_LATE}", "reading.reading_value", id="a register"
        ),
        pytest.param("UPDATE run_rule SET checked = 3000000000", "run_rule.checked", id="more than 32 bits"),
        pytest.param("UPDATE event SET id = -id", "event.id", id="a negative number"),
        pytest.param(
            f"UPDATE event SET id = {TOO_LATE} WHERE id = 1",
            "event.id",
            id="a number that leaves no next one",
        ),
        pytest.param("UPDATE site SET site_name = printf('%.201c', 'x')", "site.site_name", id="too long"),
        pytest.param("UPDATE site SET site_name = x'6161'", "site.site_name", id="bytes for text"),
        pytest.param("UPDATE site SET site_name = 'a' || char(0)", "site.site_name", id="NUL in text"),
        pytest.param(
            "UPDATE user SET username = '' WHERE id = 1", "user.username", id="a person without a name"
        ),
    ],
)
def test_what_no_column_of_ours_may_hold(full: Full, tmp_path: Path, statements: str, where: str) -> None:
    content = altered(full.backup, statements, tmp_path)
    with pytest.raises(BackupError, match=rf"^A value of {where} is not one that it may hold\.$"):
        put_back(content, replace=True)
    assert rows_of(full.uri) == full.rows


@pytest.mark.parametrize(
    ("statements", "why"),
    [
        pytest.param(
            LOOSE.format("user") + "INSERT INTO user SELECT * FROM user LIMIT 1",
            "The rows of the table user",
            id="the same number twice",
        ),
        pytest.param(
            LOOSE.format("user") + "UPDATE user SET username = 'ada'",
            "The rows of the table user",
            id="the same name twice",
        ),
        pytest.param(
            LOOSE.format("user") + "UPDATE user SET role = NULL",
            "The rows of the table user",
            id="nothing where something must be",
        ),
        pytest.param(
            "UPDATE site SET site_name = CAST(x'ff' AS TEXT)",
            "The rows of the table site",
            id="text not in UTF-8",
        ),
        pytest.param(
            "UPDATE api_token SET user_id = 4711",
            "A row of api_token belongs to none of user",
            id="nobody's token",
        ),
        pytest.param("DELETE FROM settings_version", "no settings", id="no settings at all"),
    ],
)
def test_rows_that_do_not_go_together(full: Full, tmp_path: Path, statements: str, why: str) -> None:
    content = altered(full.backup, statements, tmp_path)
    with pytest.raises(BackupError, match=why):
        put_back(content, replace=True)
    assert rows_of(full.uri) == full.rows


def test_a_backup_holds_nothing_that_a_restore_would_refuse(app: Flask) -> None:
    """Somebody has made a view of their own in the database file."""
    if db.engine.dialect.name != "sqlite":
        return  # a backup of PostgreSQL is of tables that the migrations make
    with db.engine.begin() as connection:
        for statement in (
            "CREATE TABLE own (x TEXT)",
            "CREATE VIEW own_view AS SELECT * FROM site",
            "CREATE VIRTUAL TABLE own_search USING fts4(x)",
            "CREATE TRIGGER own_trigger AFTER INSERT ON own BEGIN DELETE FROM own; END",
        ):
            connection.exec_driver_sql(statement)
    content = taken()
    put_back(content, replace=True)
    assert db.session.get_one(SettingsVersion, 1)


def test_settings_that_this_machine_cannot_read_come_back_all_the_same(app: Flask, tmp_path: Path) -> None:
    mars = """UPDATE settings_version SET document = '{"SCHEDULE": {"timezone": "Mars/Olympus"}}'"""
    put_back(altered(taken(), mars, tmp_path), replace=True)
    assert db.session.get_one(SettingsVersion, 1).document == {"SCHEDULE": {"timezone": "Mars/Olympus"}}
    assert [value.field for value in settings.current().unreadable] == ["SCHEDULE.timezone"]


def test_a_file_that_unpacks_to_more_than_it_says_is_unpacked_no_further(app: Flask, tmp_path: Path) -> None:
    plain, file = gzip.decompress(taken()), tmp_path / "sent.sqlite3"
    with pytest.raises(BackupError, match="no sound backup"):
        sent_backup.unpack(io.BytesIO(gzip.compress(plain + bytes(100_000_000), 1)), file)
    assert file.stat().st_size <= len(plain) + sent_backup.PIECE


def test_rows_that_take_far_more_room_than_their_file(app: Flask, tmp_path: Path) -> None:
    """SQLite makes up what a row lacks out of the default of its column."""
    name = "x" * 100_000
    content = altered(
        taken(),
        """
        DELETE FROM event;
        ALTER TABLE event DROP COLUMN after;
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000)
        INSERT INTO event (id, at, subject, subject_id, field) SELECT i, 0, 'site', 'S1', 'note' FROM n;
        """
        f"ALTER TABLE event ADD COLUMN after TEXT DEFAULT '{name}'",
        tmp_path,
    )
    with pytest.raises(BackupError, match="The rows of the table event take more room than the file"):
        put_back(content)


@pytest.mark.parametrize(("rows", "length"), [(1000, 100_000), (320, 500_000)])
def test_long_texts_of_many_rows_are_not_held_at_once(
    app: Flask, tmp_path: Path, rows: int, length: int
) -> None:
    content = altered(
        taken(),
        f"""
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {rows})
        INSERT INTO event (id, at, subject, subject_id, field, after)
        SELECT i, 0, 'policy', 'Slow', 'groups', printf('%.*c', {length}, 'x') FROM n;
        """,
        tmp_path,
    )
    with at_most(50):
        put_back(content, replace=True)
    assert db.session.scalar(select(func.count()).select_from(Event)) == rows


def test_large_documents_of_many_rows_are_not_held_at_once_by_a_backup(app: Flask) -> None:
    """One takes ten times its length and more, and whoever may save a profile may save very many."""
    aliases = {str(number): "a" for number in range(10_000)}
    document = {"file": {"kind": "delimited"}, "site": {"aliases": aliases}}
    with write() as session:
        session.add_all(
            ProfileVersion(key="p", name="p", version=version, document=document, changed_at=NOON)
            for version in range(1, 61)
        )
    with at_most(20):
        taken()


def test_the_longest_documents_that_anybody_can_save_come_back(app: Flask) -> None:
    """Five policies of two megabytes each were a list that no restore took."""
    with suppress(SettingsError):
        for at in range(2):
            groups = tuple(f"{at}{number:099}" for number in range(70_000))
            settings.put_policy(Policy(f"P{at}", groups=groups), author=Author("ada", NOON))
    profile = {"file": {"kind": "delimited"}, "site": {}, "x": "x" * profiles.MOST_TOGETHER}
    with write() as session:
        session.add(ProfileVersion(key="p", name="p", version=1, document=profile, changed_at=NOON))
    before = settings.current().policies
    put_back(taken(), replace=True)
    assert settings.current().policies == before
    assert before.all


def test_a_value_that_is_longer_than_any_of_ours(app: Flask, tmp_path: Path) -> None:
    """A document of JSON takes forty times its length where it is read."""
    much = f"""UPDATE settings_version SET document = printf('{{"a": {{"b": "%.*c"}}}}', {8 << 20}, 'x')"""
    with pytest.raises(BackupError, match="no sound backup"):
        put_back(altered(taken(), much, tmp_path), replace=True)


def test_a_name_in_the_schema_that_is_not_in_utf_8(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "sent.sqlite3"
    plain = gzip.decompress(taken())
    file.write_bytes(plain.replace(b"CREATE TABLE site (", b"CREATE TABL\x8f site (", 1))
    with sent_backup.opened(file) as sent, pytest.raises(BackupError, match="no sound backup"):
        sent_backup.revision_in(sent)


def test_a_file_that_would_fill_the_disk(app: Flask) -> None:
    plain = bytearray(gzip.decompress(taken()))
    plain[28:32] = (2**32 - 1).to_bytes(4, "big")  # pages: 16 TB of them
    with pytest.raises(BackupError, match="free"):
        put_back(gzip.compress(bytes(plain), 1))


def test_the_command_ends_with_a_sentence_and_2(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "hostile.backup"
    file.write_bytes(altered(taken(), f"CREATE VIEW more AS {ENDLESS}", tmp_path))
    done = app.test_cli_runner().invoke(args=["restore", "--replace", str(file)])
    assert done.exit_code == 2
    assert done.stderr.splitlines()[-1] == "Error: The file holds more (view), which is not of this program."


def test_what_takes_too_long_ends(tmp_path: Path) -> None:
    file = tmp_path / "sent.sqlite3"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE site (site_id TEXT)")
    with (
        sent_backup.opened(file, seconds=0.1) as sent,
        pytest.raises(sqlite3.OperationalError, match="interrupted"),
    ):
        sent.execute(f"SELECT max(i) FROM ({ENDLESS})").fetchone()


def test_a_file_that_was_not_read_to_its_end_is_not_called_unsound(app: Flask, tmp_path: Path) -> None:
    """Whoever stopped a restore (SIGTERM) was told that the rows are not as the program writes them."""
    file, into = tmp_path / "sent.sqlite3", tmp_path / "into.sqlite3"
    many = """
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 5000)
        INSERT INTO event (id, at, subject, subject_id, field) SELECT i, 0, 'site', 'S1', 'note' FROM n
    """
    for path in (file, into):
        path.write_bytes(gzip.decompress(altered(taken(), many, tmp_path)))
    with (
        closing(sqlite3.connect(into)) as ours,
        sent_backup.opened(file, seconds=-1) as sent,
        pytest.raises(BackupError, match="not read to its end"),
    ):
        sent_backup.take_rows(sent, ours)


def test_what_a_killed_process_left_goes_with_the_next_backup_but_not_what_is_in_use(app: Flask) -> None:
    left = Path(app.instance_path) / f"{scratch.PREFIX}left"
    left.mkdir(parents=True)
    (left / "plain.sqlite3").write_text("all data")
    with scratch.scratch() as used:
        assert not left.exists()
        taken()
        assert used.exists()
    assert not used.exists()
