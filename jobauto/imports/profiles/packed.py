"""A zip archive with one file in it is opened; what it may hold is bounded."""

import shutil
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, NamedTuple, TypeVar, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from ...storage.configuration import instance_folder
from ..lines import FileError

Asked = TypeVar("Asked")
Found = TypeVar("Found")

SIGNATURE = b"PK\x03\x04"
_OF_EMPTY = b"PK\x05\x06"
LARGEST = 1_000_000_000
"""Bytes of the file in an archive, where nobody waits for it."""
IN_MEMORY = 16_000_000
LONGEST_LIST = 1_000_000
"""Bytes of what an archive says of its files: the library reads all of it, and takes six times the memory."""
METHODS = (ZIP_STORED, ZIP_DEFLATED)
"""Of the others the library unpacks at once what it has read: a gigabyte out of 849 bytes of bzip2."""


class Opened(NamedTuple):
    """A file to be read, and what it is called in the archive that it came in."""

    stream: BinaryIO
    name: str | None


@contextmanager
def opened(file: BinaryIO, largest: int = LARGEST) -> Iterator[Opened]:
    """The file, or the one that a zip archive holds. A workbook, which is an archive too, stays as it is.

    Raises FileError.
    """
    if not file.seekable():
        with SpooledTemporaryFile(IN_MEMORY, dir=str(instance_folder())) as whole:
            shutil.copyfileobj(file, whole)
            with opened(cast("BinaryIO", whole), largest) as found:
                yield found
        return
    if not _is_archive(file):
        yield Opened(file, None)
        return
    try:
        with _there(archive_in, file) as archive:
            member = _only(archive, largest)
            if member is None:
                file.seek(0)
                yield Opened(file, None)
                return
            with _there(archive.open, member) as stream:
                yield Opened(cast("BinaryIO", stream), member.filename.rsplit("/", 1)[-1])
    except (BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError, zlib.error) as error:
        if isinstance(error, RuntimeError) and not isinstance(error, NotImplementedError):
            raise FileError("The zip archive has a password. Unpack it, and send the file.") from error
        raise FileError("The zip archive is damaged, or packed in a way that is not known here.") from error


def archive_in(file: BinaryIO) -> ZipFile:
    """The archive that a file is. Raises FileError where it names far more files than anybody would send,
    and BadZipFile where it is packed in another way than nearly all are.
    """
    read = _AsList(file)
    archive = ZipFile(read)
    if any(member.compress_type not in METHODS for member in archive.infolist()):
        raise BadZipFile
    read.longest = None
    return archive


class _AsList:
    """A file out of which the library reads what an archive holds: at once, as long as the archive says."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.longest: int | None = LONGEST_LIST
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1, /) -> bytes:
        """Raises FileError where the list is too long."""
        if self.longest is None:
            return self._file.read(size)
        found = self._file.read(size if 0 <= size <= self.longest else self.longest + 1)
        if len(found) > self.longest:
            raise FileError("The archive holds too many files.")
        return found


def _there(open_: Callable[[Asked], Found], asked: Asked) -> Found:
    """What is opened. Raises BadZipFile also for a name that is no text, and a place before the beginning."""
    try:
        return open_(asked)
    except ValueError as error:
        raise BadZipFile from error


def _is_archive(file: BinaryIO) -> bool:
    file.seek(0)
    head = file.read(len(SIGNATURE))
    file.seek(0)
    return head in (SIGNATURE, _OF_EMPTY)


def _only(archive: ZipFile, largest: int) -> ZipInfo | None:
    names = archive.namelist()
    if "[Content_Types].xml" in names or "mimetype" in names:
        return None
    files = [
        member
        for member in archive.infolist()
        if not member.is_dir() and not member.filename.startswith("__MACOSX/")
    ]
    if len(files) != 1:
        raise FileError(f"The zip archive holds {len(files)} files. Send an archive of one, or the files.")
    if files[0].file_size > largest:
        raise FileError(f"The file in the zip archive is larger than {largest:,} bytes.")
    return files[0]
