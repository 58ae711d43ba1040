"""A disk of the drill's own, small enough to be filled."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.databases import lacking

BLOCK = b"\0" * 4096


@contextmanager
def small_disk(megabytes: int) -> Iterator["Disk"]:
    """A file system in memory, mounted while the block lasts; only the superuser may."""
    folder = Path(tempfile.mkdtemp(prefix="jobauto-disk-"))
    folder.chmod(0o755)  # the server of the tests is another user
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mounting, check=False, capture_output=True).returncode != 0:
        lacking("the right to mount a small disk")
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()


class Disk:
    """A small disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Leave no room at all."""
        with self._ballast.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(BLOCK) == len(BLOCK):
                pass

    def make_room(self) -> None:
        """Take away what filled it."""
        self._ballast.unlink()
