"""Having files imported that wait for it, and imports taken back, by whoever does such work.

Each at work holds connections to the database, and a press begins one: all at once, they would leave none.
"""

from functools import partial

from ..imports import undo
from ..imports.background import process_pending
from . import broker, tasks, threads

_imports = threads.OneByOne("imports")
_undoings = threads.OneByOne("imports")


def start_imports() -> None:
    """Have them imported: by a Celery worker, or by a thread of this process."""
    if not broker.enqueue(tasks.IMPORT_FILES):
        _imports.add(process_pending)


def start_undo(import_id: int) -> None:
    """Have an import taken back that was claimed for it: by a thread of this process."""
    _undoings.add(partial(undo.go_on, import_id))
