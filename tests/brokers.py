"""A Redis and Celery workers of a test's own."""

import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.databases import lacking
from tests.processes import BIN, Process, started


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def address_of(port: int) -> str:
    """The address of a Redis on a port of the loopback."""
    return f"redis://127.0.0.1:{port}/0"


@contextmanager
def redis(folder: Path, port: int) -> Iterator[Process]:
    """A Redis that keeps nothing and does not outlive the block."""
    server = shutil.which("redis-server")
    if server is None:
        lacking("redis-server")
        return
    options = {"--bind": "127.0.0.1", "--port": str(port), "--save": "", "--dir": str(folder)}
    with started([server, *(word for option in options.items() for word in option)], {}) as process:
        process.await_line("Ready to accept connections")
        yield process


@contextmanager
def worker(env: dict[str, str], app: str = "jobauto.worker") -> Iterator[Process]:
    """A worker with two processes, ready to take messages."""
    command = [str(BIN / "celery"), "--quiet", "--app", app, "worker", "--concurrency", "2"]
    with started([*command, "--without-mingle", "--without-gossip"], env) as process:
        process.await_line("celery@.* ready")
        yield process
