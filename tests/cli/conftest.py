"""Calling commands: inside the test, and as an operator does."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from tests.processes import BIN, PATIENCE, environment

Cli = Callable[..., Result]


@pytest.fixture
def cli(app: Flask) -> Cli:
    """Call a command inside the test."""
    return _caller(app)


@pytest.fixture
def standing_cli(standing: Flask) -> Cli:
    """The same on a database that the test leaves as it is."""
    return _caller(standing)


def _caller(app: Flask) -> Cli:
    runner = app.test_cli_runner()

    def call(*arguments: str, **options: object) -> Result:
        return runner.invoke(args=list(arguments), **options)

    return call


@dataclass(frozen=True)
class Shell:
    """A shell with the program's variables set."""

    env: dict[str, str]
    folder: Path

    def __call__(
        self, *arguments: str, typed: str | bytes = "", program: str = "jobauto", **env: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end."""
        done = subprocess.run(
            [str(BIN / program), *arguments],
            input=typed if isinstance(typed, bytes) else typed.encode(),
            env=self.env | env,
            cwd=self.folder,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )


@pytest.fixture
def shell(database_uri: str, tmp_path: Path) -> Shell:
    """A shell at a fresh database."""
    return Shell(environment(database_uri, tmp_path / "instance"), tmp_path)
