"""Celery is an extra: without it everything but a configured broker works, and that is refused by name."""

import subprocess
import sys

import pytest

from tests.cli.conftest import Shell
from tests.databases import SQLITE, Sqlite
from tests.processes import PATIENCE, ROOT

WITHOUT_CELERY = """
import sys

class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("celery", "kombu"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, NotInstalled())
from jobauto.__main__ import main
main()
"""

pytestmark = [pytest.mark.process, pytest.mark.parametrize("engine", [SQLITE], indirect=True)]


def where_it_is_missing(shell: Shell, **env: str) -> "subprocess.CompletedProcess[str]":
    """List the users with a Python that cannot import Celery."""
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_CELERY, "list-users"],
        env=shell.env | env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_a_broker_without_the_extra_is_refused_at_the_start(engine: Sqlite, shell: Shell) -> None:
    done = where_it_is_missing(shell, JOBAUTO_CELERY_BROKER_URL="redis://:secret@127.0.0.1/0")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "Error: JOBAUTO_CELERY_BROKER_URL is set, but Celery is not installed: "
        "pip install 'jobauto[celery]'\n"
    )


def test_without_a_broker_nothing_misses_it(engine: Sqlite, shell: Shell) -> None:
    done = where_it_is_missing(shell)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_worker_without_a_broker_ends_with_a_sentence(engine: Sqlite, shell: Shell) -> None:
    done = shell("--app", "jobauto.worker", "worker", program="celery")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "Error: JOBAUTO_CELERY_BROKER_URL is empty: there is no queue from which a worker could take work\n"
    )
