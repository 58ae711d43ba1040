"""What a file of the program's own columns holds, by its header: sites or readings."""

from io import BytesIO
from typing import IO

from . import readings, sites
from .header import Wanted, tables_named
from .lines import FileError, physical_lines

WANTED = {
    "readings": Wanted(readings.COLUMNS, readings.OPTIONAL),
    "sites": Wanted(sites.REQUIRED, sites.OPTIONAL),
}
HEAD = 1_000_000
"""So many bytes are searched for the header."""


class OtherKind(FileError):
    """The header says something else than who sent the file."""


def kind_of(file: IO[bytes], said: str = "") -> str:
    """What a file holds; the file is at its beginning again. Raises FileError where its header does not say.

    Somebody may have ``said`` it. Raises OtherKind where the header says otherwise, and where it could be
    either and nobody has said it.
    """
    try:
        named = tables_named(physical_lines(BytesIO(file.read(HEAD))), WANTED)
    finally:
        file.seek(0)
    if said in named:
        return said
    if len(named) > 1:
        raise OtherKind("The header names the columns of readings and of sites. Choose what is to be taken.")
    if not said:
        return named[0]
    columns = ", ".join(WANTED[named[0]].required)
    raise OtherKind(
        f"The header says that the file contains {named[0]}: it names {columns}. "
        "Choose that, or leave the choice to the header."
    )
