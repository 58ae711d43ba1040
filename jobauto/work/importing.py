"""Having files imported that wait for it: at once, by whoever does such work."""

from ..imports.background import process_pending
from . import broker, tasks, threads


def start_imports() -> None:
    """Have them imported: by a Celery worker, or by a thread of this process."""
    if not broker.enqueue(tasks.IMPORT_FILES):
        threads.start(process_pending, "imports")
