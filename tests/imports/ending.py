"""A process that ends in the middle of an import, as a web worker does that is told to.

    python -m tests.imports.ending [breaking]

Begins what waits in the background, and says ``in the middle`` after the first batch. There the import
stands until SIGTERM has come and the main thread has ended; another thread keeps the process while the
import goes on. With ``breaking`` everything fails that the import does from then on.
"""

import signal
import sys
import threading

from jobauto import create_app
from jobauto.imports import background
from jobauto.imports.bulk.postgresql import PostgresqlBulk
from jobauto.imports.bulk.sqlite import SqliteBulk
from jobauto.imports.bulk.way import WhileWaiting
from jobauto.imports.rows import Rejected
from jobauto.imports.storing import Batch, Store
from jobauto.work import threads

SqliteBulk.BATCH = PostgresqlBulk.BATCH = 2
middle, told = threading.Event(), threading.Event()
add = Store.add


def stand(self: Store, batch: Batch, while_waiting: WhileWaiting) -> list[Rejected]:
    """Store a batch; but the second one not before the process ends."""
    if middle.is_set():
        threading.main_thread().join()
        if "breaking" in sys.argv:
            raise RuntimeError("cannot schedule new futures after interpreter shutdown")
    rejected = add(self, batch, while_waiting)
    if not middle.is_set():
        middle.set()
        sys.stdout.write("in the middle\n")
        sys.stdout.flush()
    return rejected


if __name__ == "__main__":
    Store.add = stand  # type: ignore[method-assign] # what this process is for
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    with create_app().app_context():
        imports = threads.start(background.process_pending, "imports")
    threading.Thread(target=imports.join).start()
    told.wait(60)
