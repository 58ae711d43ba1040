"""Moving files within the watched folder: nothing is overwritten, and no other file is taken for one."""

import hashlib
import logging
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import uuid4

from ..logs import LogEvent

log = logging.getLogger("job_automation")

HIDDEN = ".moving-"
"""How folders begin in which a file is for the moment that it is moved."""
LEFT_HIDDEN = timedelta(minutes=10)
"""After so long the process that hid a file must have died."""
LONGEST_NAME = 255
LATEST = 2**62 - 1
"""In nanoseconds: a database has room for twice as much, and a backup takes no more."""
Note = tuple[str, Iterable[bytes]]
"""What is written beside a file that is moved: the ending of its name, and the content."""


class Known(NamedTuple):
    """By what a file is known again, whatever it is called; nanoseconds, and no hash of one never read.

    An inode would not do: some mounts give a file another one with its name.
    """

    size: int
    time: int
    content_hash: str | None


def time_of(found: os.stat_result) -> int:
    """When a file was changed last, in nanoseconds; of one that says before 1823 or after 2116, then."""
    return max(-LATEST, min(found.st_mtime_ns, LATEST))


class Gone(Exception):
    """The file is not there any more, or is another one."""


@contextmanager
def opened_folder(name: str, within: int | str) -> Iterator[int]:
    """A descriptor of a folder, which is no link."""
    path, within_fd = (name, within) if isinstance(within, int) else (os.path.join(within, name), None)  # noqa: PTH118 (names of bytes)
    opened = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=within_fd)
    try:
        yield opened
    finally:
        os.close(opened)


def move(folder: int, name: str, known: Known, to: str, note: Note | None) -> bool:
    """Move a file into a folder beside it, with what is said of it; False where it is not there any more.

    1. Take a name that is free there, and write the note beside it.
    2. Hide the file, so that no sender can put another one into its place, and see whether it is the one.
    3. Give it its name. One that is another goes back to where it was.
    """
    with suppress(FileExistsError):
        os.mkdir(to, dir_fd=folder)
    try:
        with opened_folder(to, folder) as target:
            _check_looks(folder, name, known)
            with _reserved(target, name, note) as free, _hidden(folder) as hidden:
                _hide(folder, name, hidden)
                _check_looks(hidden, name, known)
                _check_content(hidden, name, known)
                os.rename(name, free, src_dir_fd=hidden, dst_dir_fd=target)
    except Gone:
        return False
    return True


def _hide(folder: int, name: str, hidden: int) -> None:
    try:
        os.rename(name, name, src_dir_fd=folder, dst_dir_fd=hidden)
    except FileNotFoundError as error:
        raise Gone from error


def _check_looks(folder: int, name: str, known: Known) -> None:
    """Raises Gone where it is seen at once that a file is another, or none."""
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError as error:
        raise Gone from error
    if not stat.S_ISREG(found.st_mode) or (found.st_size, time_of(found)) != (known.size, known.time):
        raise Gone


def _check_content(folder: int, name: str, known: Known) -> None:
    """Raises Gone where a file that was read has another content."""
    if known.content_hash is None:
        return
    with open(_opened(folder, name, os.O_RDONLY), "rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != known.content_hash:
            raise Gone


@contextmanager
def _reserved(folder: int, name: str, note: Note | None) -> Iterator[str]:
    """A free name, held by an empty file to be replaced, its note beside it; both go on an error.

    So nothing is overwritten, and no hard link is needed, which not every mount has.
    """
    ending, content = note or ("", ())
    held = (_held(folder, [free, *([_cut(free, ending) + ending] if note else [])]) for free in _names(name))
    (free, empty), *beside = next(filter(None, held))
    try:
        for each, _ in beside:
            _write(folder, each, content)
        yield free
    except BaseException:
        with suppress(FileNotFoundError):
            if os.path.samestat(empty, os.stat(free, dir_fd=folder, follow_symlinks=False)):
                for each in [free, *(name for name, _ in beside)]:
                    os.unlink(each, dir_fd=folder)
        raise


def _held(folder: int, names: list[str]) -> list[tuple[str, os.stat_result]]:
    """Empty files that are made under these names; none where one of them is taken."""
    made: list[tuple[str, os.stat_result]] = []
    try:
        for name in names:
            opened = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666, dir_fd=folder)
            made.append((name, os.fstat(opened)))
            os.close(opened)
    except OSError as error:
        for name, _ in made:
            os.unlink(name, dir_fd=folder)
        if isinstance(error, FileExistsError):
            return []
        raise
    return made


@contextmanager
def _hidden(folder: int) -> Iterator[int]:
    """A folder for the moment, that senders do not know; what is still in it at the end goes back."""
    name = f"{HIDDEN}{uuid4().hex}"
    os.mkdir(name, dir_fd=folder)
    try:
        with opened_folder(name, folder) as opened:
            yield opened
    finally:
        with suppress(OSError):  # then it goes back later
            _put_back(folder, name)


def _put_back(folder: int, hidden_name: str) -> None:
    """Lay what a hidden folder holds to where it came from.

    Under a name of its own, where that is taken, or the mount has no hard links.
    """
    with opened_folder(hidden_name, folder) as hidden:
        for name in os.listdir(hidden):  # noqa: PTH208 (a descriptor)
            try:
                # Unlike a renaming this replaces nothing that a sender lays there meanwhile.
                os.link(name, name, src_dir_fd=hidden, dst_dir_fd=folder, follow_symlinks=False)
            except OSError:
                stem, ending = os.path.splitext(name)  # noqa: PTH122 (a name, and no path)
                own = f" ({uuid4().hex}){ending}"
                os.rename(name, _cut(stem, own) + own, src_dir_fd=hidden, dst_dir_fd=folder)
            else:
                os.unlink(name, dir_fd=hidden)
    os.rmdir(hidden_name, dir_fd=folder)


def put_back_left(folder: int, hidden_name: str, now: datetime) -> None:
    """Put back what a process hid that has died since."""
    try:
        with suppress(FileNotFoundError):  # it was hidden for that moment only
            changed = os.stat(hidden_name, dir_fd=folder, follow_symlinks=False).st_mtime
            if abs(now.timestamp() - changed) >= LEFT_HIDDEN.total_seconds():
                _put_back(folder, hidden_name)
    except OSError as error:
        log.warning(LogEvent("inbox-file-left", file=hidden_name, error=error))


def _names(name: str) -> Iterator[str]:
    """``a.csv``, ``a (2).csv``, ``a (3).csv`` ..."""
    yield name
    stem, ending = os.path.splitext(name)  # noqa: PTH122 (a name, and no path)
    number = 2
    while True:
        more = f" ({number}){ending}"
        yield _cut(stem, more) + more
        number += 1


def _cut(name: str, ending: str) -> str:
    """As much of a name as leaves room for its ending."""
    room = LONGEST_NAME - len(os.fsencode(ending))
    while len(os.fsencode(name)) > room:
        name = name[:-1]
    return name


def _write(folder: int, name: str, content: Iterable[bytes]) -> None:
    with open(_opened(folder, name, os.O_WRONLY), "wb") as file:
        file.writelines(content)


def _opened(folder: int, name: str, flags: int) -> int:
    """A descriptor; no link is followed, and nobody waits for the other end of a pipe laid there."""
    return os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
