"""Which processes look for due slots: those that serve pages, and ``jobauto scheduler``; no others."""

import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from jobauto.clock import utcnow
from jobauto.extensions import db
from jobauto.models import Run, Site
from tests.databases import SQLITE
from tests.fleets import NOON, add_site, days_before
from tests.processes import BIN, PATIENCE, ROOT, await_until, environment, gunicorn, started
from tests.runs.fleet import fresh, make_todays_slot_due, set_heartbeat, statuses

pytestmark = pytest.mark.process

THREADS = "import threading; print('threads:', sorted(t.name for t in threading.enumerate()))"


@pytest.fixture(autouse=True)
def _slot_is_due(app: Flask) -> None:
    make_todays_slot_due(utcnow())


def the_run_is_done() -> bool:
    return statuses() == ["succeeded"]


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(["--workers", "2"], id="two workers"),
        pytest.param(["--workers", "2", "--preload"], id="two workers of a preloaded application"),
    ],
)
def test_the_web_processes_run_the_due_slot_once(
    app: Flask, database_uri: str, tmp_path: Path, options: list[str]
) -> None:
    add_site("S1", {days_before(200, NOON): 1})
    with gunicorn(environment(database_uri, tmp_path), *options) as (server, _):
        await_until(lambda: "event=end" in server.output, "the run ends")
        await_until(the_run_is_done, "the run is kept")
        server.signal(signal.SIGTERM)
        assert server.end() == 0
    fresh()
    made = db.session.scalars(select(Run)).one()
    assert (made.trigger, made.created_jobs) == ("schedule", 1)
    assert "Traceback" not in server.output


def test_what_a_forked_worker_saves_is_kept_when_its_parent_lets_go_of_the_database(
    app: Flask, database_uri: str, tmp_path: Path
) -> None:
    fresh()
    db.engine.dispose()  # who still has it open keeps SQLite's log of writes from being thrown away
    env = environment(database_uri, tmp_path, JOBAUTO_TICK_SECONDS="30")
    with started([sys.executable, "-m", "tests.runs.forks"], env) as process:
        assert process.end() == 0
    assert db.session.scalars(select(Site.site_id)).all() == ["S1"]


def test_the_scheduler_command_runs_the_due_slot_and_ends_cleanly_when_told(
    app: Flask, database_uri: str, tmp_path: Path
) -> None:
    with started([str(BIN / "jobauto"), "scheduler"], environment(database_uri, tmp_path)) as process:
        process.await_line("event=end run=[0-9]+ status=succeeded")
        process.signal(signal.SIGTERM)
        assert process.end() == 0
    assert statuses() == ["succeeded"]
    assert "event=scheduler-end" in process.output
    assert "Traceback" not in process.output


def test_the_scheduler_command_also_runs_where_web_processes_do_not(
    app: Flask, database_uri: str, tmp_path: Path
) -> None:
    env = environment(database_uri, tmp_path, JOBAUTO_SCHEDULER_ENABLED="false")
    with started([str(BIN / "jobauto"), "scheduler"], env) as process:
        process.await_line("event=end run=[0-9]+ status=succeeded")
    assert statuses() == ["succeeded"]


def test_a_scheduler_takes_over_the_slot_of_one_that_was_killed(
    app: Flask, database_uri: str, tmp_path: Path
) -> None:
    env = environment(database_uri, tmp_path)
    today = str(utcnow().date())
    with started([sys.executable, "-m", "tests.runs.victim", today, "verdict"], env) as victim:
        victim.await_line("at verdict")
        victim.signal(signal.SIGKILL)
        victim.end()
    set_heartbeat(timedelta(minutes=2))
    with started([str(BIN / "jobauto"), "scheduler"], env) as process:
        process.await_line("event=end run=[0-9]+ status=succeeded")
    assert statuses() == ["crashed", "succeeded"]


@pytest.mark.parametrize("engine", [SQLITE], indirect=True)
@pytest.mark.parametrize(
    ("command", "script", "enabled", "ticks"),
    [
        pytest.param(
            [sys.executable, "-"], f"import jobauto.wsgi; {THREADS}", "true", True, id="a server: ticks"
        ),
        pytest.param(
            [sys.executable, "-"], f"import jobauto.wsgi; {THREADS}", "false", False, id="switched off"
        ),
        pytest.param([str(BIN / "flask"), "--app", "wsgi", "shell"], THREADS, "true", False, id="a command"),
        pytest.param([str(BIN / "jobauto"), "shell"], THREADS, "true", False, id="a command of ours"),
    ],
)
def test_who_ticks(
    app: Flask,
    database_uri: str,
    tmp_path: Path,
    command: list[str],
    script: str,
    enabled: str,
    ticks: bool,
) -> None:
    env = environment(database_uri, tmp_path, JOBAUTO_SCHEDULER_ENABLED=enabled)
    done = subprocess.run(
        command, input=script, env=env, cwd=ROOT, text=True, capture_output=True, timeout=PATIENCE, check=True
    )
    (told,) = (line for line in done.stdout.splitlines() if "threads:" in line)
    assert ("APScheduler" in told) == ticks
    assert "MainThread" in told
