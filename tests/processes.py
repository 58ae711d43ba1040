"""Other processes of this program: started by a test, awaited with a bound, ended by it."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import IO

BIN = Path(sys.executable).parent
ROOT = Path(__file__).parent.parent
SECRET_KEY = "tests, with a key of 32 characters or more"
PATIENCE = 120.0
"""Seconds after which what has not happened never will."""


def environment(database_uri: str, instance: Path, **more: str) -> dict[str, str]:
    """The environment of a process that works on a test's database."""
    host = {name: value for name, value in os.environ.items() if not name.startswith("JOBAUTO_")}
    return host | {
        "JOBAUTO_SQLALCHEMY_DATABASE_URI": database_uri,
        "JOBAUTO_INSTANCE_PATH": str(instance),
        "JOBAUTO_SECRET_KEY": SECRET_KEY,
        "JOBAUTO_SEND_TO": "127.0.0.0/8",
        "PYTHONPATH": str(ROOT),
        **more,
    }


def await_until(condition: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    """Look until the condition holds, the less often the longer it takes; fail when patience has run out."""
    began = time.monotonic()
    while not condition():
        waited = time.monotonic() - began
        assert waited < patience, f"in vain: {what}"
        time.sleep(min(0.02 + waited / 10, 0.2))


class Process:
    """A process whose lines can be awaited."""

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        self.popen = subprocess.Popen(
            command,
            env=env,
            cwd=ROOT,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.seen: list[str] = []
        self._lines: Queue[str] = Queue()
        self._reader = Thread(target=self._read, args=(self.popen.stdout,), daemon=True)
        self._reader.start()

    def await_line(self, pattern: str) -> re.Match[str]:
        """The first line from now on that has the pattern in it."""
        deadline = time.monotonic() + PATIENCE
        while (left := deadline - time.monotonic()) > 0:
            try:
                line = self._lines.get(timeout=left)
            except Empty:
                break
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"no line like {pattern!r} in:\n{self.output}")

    def say(self, line: str = "") -> None:
        """Send a line to its standard input."""
        assert self.popen.stdin
        self.popen.stdin.write(f"{line}\n")
        self.popen.stdin.flush()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.popen.send_signal(number)

    def end(self) -> int:
        """Wait for its end; the exit status."""
        status = self.popen.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return status

    @property
    def output(self) -> str:
        """All that it has said so far."""
        return "\n".join(self.seen)

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            self.seen.append(line.rstrip("\n"))
            self._lines.put(line.rstrip("\n"))


@contextmanager
def started(command: list[str], env: dict[str, str]) -> Iterator[Process]:
    """A process that does not outlive the block. What it has said is shown with a test that fails."""
    process = Process(command, env)
    try:
        yield process
    except Exception as error:
        error.add_note(process.output)
        raise
    finally:
        if process.popen.poll() is None:
            process.signal(signal.SIGTERM)
            try:
                process.popen.wait(PATIENCE / 4)
            except subprocess.TimeoutExpired:
                process.signal(signal.SIGKILL)
        process.end()
        for stream in (process.popen.stdin, process.popen.stdout):
            if stream:
                stream.close()


@contextmanager
def gunicorn(
    env: dict[str, str], *options: str, command: Sequence[str] = (str(BIN / "gunicorn"),)
) -> Iterator[tuple[Process, str]]:
    """The program behind a real WSGI server on a free port of the loopback; yields it and its address."""
    serving = [*command, "--no-control-socket", "--bind", "127.0.0.1:0", *options, "jobauto.wsgi:app"]
    with started(serving, env) as process:
        address = process.await_line(r"Listening at: (http://127\.0\.0\.1:[0-9]+)")[1]
        yield process, address
