"""A folder for a plain copy of the database, which a process that was killed cannot leave behind for long."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .configuration import instance_folder

PREFIX = "backup-"


@contextmanager
def scratch() -> Iterator[Path]:
    """An empty folder that is gone afterwards, readable by its owner only.

    In the instance folder: unlike a folder for temporary files it is on a disk with room for a database.
    Whoever has one holds the instance folder's lock together with the others.
    """
    with _instance_folder() as instance:
        clear_abandoned()
        fcntl.flock(instance, fcntl.LOCK_SH)
        with tempfile.TemporaryDirectory(prefix=PREFIX, dir=instance_folder()) as folder:
            yield Path(folder)


def clear_abandoned() -> None:
    """Remove what killed processes have left, unless somebody's folder is in use: then another time will do.

    The lock goes with its process, however that ends.
    """
    with _instance_folder() as instance, suppress(BlockingIOError):
        fcntl.flock(instance, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for folder in instance_folder().glob(f"{PREFIX}*"):
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _instance_folder() -> Iterator[int]:
    descriptor = os.open(instance_folder(), os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
