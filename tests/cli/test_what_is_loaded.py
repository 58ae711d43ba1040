"""A process loads what it needs: commands start soon, and small ones stay small."""

import subprocess
import sys

import pytest

from tests.cli.conftest import Shell
from tests.databases import SQLITE, Sqlite
from tests.processes import PATIENCE

pytestmark = [pytest.mark.process, pytest.mark.parametrize("engine", [SQLITE], indirect=True)]

WEB = {"flask_bootstrap", "flask_wtf", "limits", "prometheus_client", "spectree", "wtforms"}
PAGES = {"jobauto.web", *WEB}
BACKGROUND = {"apscheduler", "celery", "jobauto.imports"}
SENDING = {"apprise", "cryptography", "requests"}
AT_THE_ISSUER = {"authlib", "joserfc", "segno"}
MIGRATING = {"alembic", "flask_migrate"}
TELL_AT_THE_END = """
import atexit, gc, sys
found = lambda: [*sys.modules, *["garbage is collected"] * gc.isenabled()]
atexit.register(lambda: print(*found(), sep="|", file=sys.stderr))
"""
COMMAND = "from jobauto.__main__ import main; main()"


def loaded(shell: Shell, program: str, *arguments: str, **env: str) -> set[str]:
    """The modules that a program has loaded when it ends, and whether it collected garbage then."""
    done = subprocess.run(
        [sys.executable, "-c", TELL_AT_THE_END + program, *arguments],
        env=shell.env | env,
        cwd=shell.folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    return set(done.stderr.splitlines()[-1].split("|"))


def test_the_list_of_commands(engine: Sqlite, shell: Shell) -> None:
    found = loaded(shell, COMMAND, "--help")

    assert {"click", "jobauto.cli"} <= found
    assert (
        found & (PAGES | BACKGROUND | SENDING | MIGRATING | {"jobauto.core", "psycopg", "pydantic"}) == set()
    )


@pytest.mark.parametrize("command", ["run-daily-job-automation", "create-no-coms-jobs"])
def test_a_run_by_command(engine: Sqlite, shell: Shell, command: str) -> None:
    found = loaded(shell, COMMAND, command)

    assert {"jobauto.core", "jobauto.detection.service"} <= found
    assert "garbage is collected" in found
    assert found & (PAGES | BACKGROUND | SENDING | MIGRATING | AT_THE_ISSUER | {"pyotp"}) == set()


def test_a_run_from_cron_sends_its_messages(engine: Sqlite, shell: Shell) -> None:
    found = loaded(shell, COMMAND, "run-daily-job-automation", "--scheduled")

    assert found >= SENDING
    assert found & (PAGES | BACKGROUND | MIGRATING) == set()


def test_a_worker(engine: Sqlite, shell: Shell) -> None:
    found = loaded(shell, "import jobauto.worker", JOBAUTO_CELERY_BROKER_URL="redis://127.0.0.1:1/0")

    assert {"celery", "jobauto.imports", *SENDING} <= found
    assert found & (PAGES | MIGRATING | {"apscheduler", "jobauto.cli"}) == set()


def test_a_web_process_without_a_broker(engine: Sqlite, shell: Shell) -> None:
    issuer = {
        "JOBAUTO_OIDC_ISSUER": "https://login.example",
        "JOBAUTO_OIDC_CLIENT_ID": "jobauto",
        "JOBAUTO_OIDC_CLIENT_SECRET": "secret",
        "JOBAUTO_OIDC_ROLES": "*=viewer",
        "JOBAUTO_PUBLIC_URL": "https://jobs.example",
    }
    found = loaded(shell, "import jobauto.wsgi", JOBAUTO_SCHEDULER_ENABLED="false", **issuer)

    assert found >= PAGES
    assert "garbage is collected" in found
    unwanted = {"celery", *MIGRATING, *AT_THE_ISSUER, "jobauto.cli.runs", "jobauto.storage.backup"}
    assert found & unwanted == set()
