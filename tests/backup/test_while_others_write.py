"""A backup shows one instant, whoever writes meanwhile, and keeps none of them waiting."""

import io
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from flask import Flask
from sqlalchemy import func, select, update

from jobauto.extensions import db
from jobauto.models import Event as Entry
from jobauto.models import Job, JobReading, RunRule, Site
from jobauto.storage import backup
from tests.backup.everything import application, put_back, quiet, taken
from tests.databases import Postgresql, Sqlite
from tests.fleets import NOON, add_site, daily, run_noon
from tests.processes import PATIENCE, await_until
from tests.racing import is_anybody_waiting


def run_until(app: Flask, enough: Event) -> int:
    """Find new faults, run after run, until told that it is enough; how many runs there were."""
    runs = 0
    with app.app_context():
        while not enough.is_set() and runs < 100:
            for number in range(3):
                add_site(f"{runs}-{number}", daily([7, 7, 7, 7], NOON))
            run_noon()
            runs += 1
        db.session.remove()
    return runs


def assert_whole(uri: str) -> None:
    """A database looks like one between two transactions of the runs that wrote it."""
    app = application(uri)
    with app.app_context():
        jobs = select(func.count()).select_from(Job)
        told = db.session.scalar(select(func.coalesce(func.sum(RunRule.created), 0)))
        evidence = db.session.scalars(
            select(func.count(JobReading.job_id))
            .select_from(Job)
            .outerjoin(JobReading, JobReading.job_id == Job.id)
            .group_by(Job.id)
        ).all()
        assert db.session.scalar(jobs) == told, "a rule's jobs and its figures are written together"
        assert all(count > 0 for count in evidence), "and so are the readings that led to each job"
        db.session.remove()
        db.engine.dispose()


def test_it_is_whole_while_runs_open_jobs(app: Flask, engine: Sqlite | Postgresql) -> None:
    enough = Event()
    files = []
    add_site("first", daily([7, 7, 7, 7], NOON))
    with ThreadPoolExecutor(1) as pool:
        runs = pool.submit(run_until, app, enough)
        try:
            for _ in range(8):
                target = io.BytesIO()
                backup.back_up(target, quiet)
                files.append(target)
        finally:
            enough.set()
        assert runs.result(PATIENCE) >= 2, "runs went on meanwhile"
    for file in (files[0], files[3], files[-1]):
        with engine.fresh() as uri:
            elsewhere = application(uri)
            with elsewhere.app_context():
                file.seek(0)
                backup.restore(file, quiet, replace=False, now=NOON)
                db.engine.dispose()
            assert_whole(uri)


def test_what_is_written_between_two_tables_is_not_in_it(app: Flask, engine: Sqlite | Postgresql) -> None:
    add_site("first", daily([7, 7, 7, 7], NOON))
    run_noon()
    copied: list[str] = []

    def write_meanwhile(table: str, _rows: int) -> None:
        if not copied:
            with ThreadPoolExecutor(1) as pool:
                pool.submit(find_another_fault, app).result(PATIENCE)
        copied.append(table)

    target = io.BytesIO()
    contents = backup.back_up(target, write_meanwhile)

    assert bool(copied) == isinstance(engine, Postgresql), "SQLite copies itself, in one step"
    assert [contents.rows[name] for name in ("site", "run", "run_rule", "job")] == [1, 1, 2, 1]


def find_another_fault(app: Flask) -> None:
    """A new site, and the run that opens a job for it."""
    with app.app_context():
        add_site("second", daily([7, 7, 7, 7], NOON))
        run_noon()
        db.session.remove()


def test_a_restore_lets_who_is_writing_come_to_their_end(app: Flask) -> None:
    if db.engine.dialect.name != "postgresql":
        return  # SQLite has one lock, which nobody can hold a part of
    add_site("first", daily([7, 7, 7, 7], NOON))
    content = taken()
    with ThreadPoolExecutor(1) as pool, db.engine.connect() as writing, db.engine.connect() as looking:
        writing.execute(update(Site).values(site_name="changed"))
        restored = pool.submit(restore_in, app, content)
        await_until(lambda: is_anybody_waiting(looking), "the restore waits")
        looking.rollback()
        writing.execute(update(Entry).values(field="changed"))  # a table that the restore has locked before
        writing.commit()
        restored.result(PATIENCE)
    assert db.session.scalars(select(Site.site_name)).all() != ["changed"]


def restore_in(app: Flask, content: bytes) -> None:
    """Put a backup in place of what there is."""
    with app.app_context():
        put_back(content, replace=True)
