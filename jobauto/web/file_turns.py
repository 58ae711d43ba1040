"""Files that a page reads within its request: one after the other in a process, for one that is held as a
whole, such as a workbook, takes half a gigabyte and a thread for seconds, however small it was sent."""

from collections.abc import Iterator
from contextlib import contextmanager

from ..turns import Turns
from .in_turn import in_turn

IN_LINE = 3
"""So many wait for their turn, so that threads are left for pages; the next one is told at once."""

FILES = Turns(1, IN_LINE)


@contextmanager
def reads_a_file() -> Iterator[None]:
    """Around a view that waits for its turn. Raises TooManyRequests."""
    why = "Other files are being read, so this one was not taken. Send it again in some seconds."
    with in_turn(FILES, why, "uploads-limited"):
        yield
