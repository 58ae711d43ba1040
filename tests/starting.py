"""Which tests start processes of their own: those that say so, by the marker ``process``, and no others."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

EVENTS = ("subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system")

_forbidden = False


@contextmanager
def forbidden() -> Iterator[None]:
    """While this lasts, whoever starts a process fails."""
    yield from _while(forbidden=True)


@contextmanager
def allowed() -> Iterator[None]:
    """An exception to it: for the database server, which is not a test's own."""
    yield from _while(forbidden=False)


def _while(*, forbidden: bool) -> Iterator[None]:
    global _forbidden  # noqa: PLW0603 (audit hooks know nothing but the process)
    before, _forbidden = _forbidden, forbidden
    try:
        yield
    finally:
        _forbidden = before


def _audit(event: str, _arguments: object) -> None:
    if _forbidden and event in EVENTS:
        raise AssertionError("A test that starts a process has to say so: @pytest.mark.process")


sys.addaudithook(_audit)
