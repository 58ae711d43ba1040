"""D0010, the readings of the British industry's data transfer: fields between ``|``, a kind of row a line.

``026`` names the MPAN core, ``028`` the meter, and each ``030`` is a reading of one of its registers.
All registers of an MPAN core and instant are added up.
"""

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from .. import fields
from ..lines import SPACES, FileError, physical_lines
from ..rows import Rejected
from .found import Found
from .stamps import reader
from .standard import Context

_STAMP = reader("%Y%m%d%H%M%S")
_DAY = reader("%Y%m%d")


def readings(stream: BinaryIO, context: Context) -> Iterator[Found | Rejected]:
    """The readings of a file. Raises FileError."""
    return _found(physical_lines(stream), context)


def _found(lines: Iterable[str], context: Context) -> Iterator[Found | Rejected]:
    mpan: str | None = None
    meter = ""
    has_any = False
    for number, line in enumerate(lines, start=1):
        row = [field.strip(SPACES) for field in line.rstrip("\r\n").split("|")] + [""] * 10
        if row[0] == "ZHV" and not row[2].startswith("D0010"):
            raise FileError(f"This is a file of the flow {row[2]}, not D0010.")
        if row[0] == "026":
            mpan, meter, has_any = row[1], "", True
        elif row[0] == "028":
            meter = row[1]
        elif row[0] == "030" and context.keeps(known := _known(meter, row)):
            try:
                yield from _reading(number, mpan, known, row, context)
            except fields.FieldError as error:
                yield Rejected(number, str(error))
    if not has_any:
        raise FileError("The file has no row 026: it is no D0010.")


def _known(meter: str, row: list[str]) -> dict[str, str]:
    return {"meter": meter, "register": row[1], "method": row[7]}


def _reading(
    number: int, mpan: str | None, known: dict[str, str], row: list[str], context: Context
) -> Iterator[Found | Rejected]:
    if not mpan:
        raise fields.FieldError("site_id is empty: no row 026 above")
    stamp = _STAMP(row[2]) or _DAY(row[2])
    if stamp is None:
        raise fields.FieldError("reading_date is not written as YYYYMMDDHHMMSS")
    site, at = context.site(mpan), context.times.text_of(stamp)
    part = known["meter"], known["register"]
    is_estimated = context.is_estimated(known)
    yield from context.reading(number, site, at, row[3], "", part, is_estimated=is_estimated)
