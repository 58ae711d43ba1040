"""What an import has met so far: a file can contradict itself over more rows than are stored at a time."""

import struct
from array import array
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from tempfile import SpooledTemporaryFile
from typing import NamedTuple

from ..storage.configuration import instance_folder
from .bulk.way import ReadingKey, Ready
from .lines import FileError

IN_MEMORY = 16_000_000
"""So many bytes are held in memory, some 600,000 readings; beyond, all wait in a file without a name."""
_BYTES = array("q").itemsize

Columns = tuple[Sequence[int], Sequence[int], Sequence[int]]
"""Readings side by side: the keys of their sites, their instants, their watt-hours."""
_Box = tuple[int, int, int, int]
"""The lowest and highest site and instant: most batches of a file that is in some order lie apart."""


class Met(NamedTuple):
    """Where the rows of a key stand, and the first one's value in watt-hours."""

    lines: list[int]
    value: int


@dataclass
class _Block:
    """The readings of a batch: where they begin in the file, how many they are, their lines."""

    start: int
    count: int
    lines: Sequence[int]
    box: _Box | None = None


class Seen:
    """Readings in the order of their file, to be found again by site and instant."""

    def __init__(self) -> None:
        folder = str(instance_folder())
        self._file = SpooledTemporaryFile(max_size=IN_MEMORY, dir=folder)  # noqa: SIM115 (closed below)
        self._blocks: list[_Block] = []

    def __bool__(self) -> bool:
        return bool(self._blocks)

    def add(self, lines: Sequence[int], columns: Columns) -> None:
        """Remember a batch. Raises FileError where the disk has no room for it."""
        count = len(lines)
        try:
            start = self._file.seek(0, 2)
            for column in columns:
                self._file.write(struct.pack(f"{count}q", *column))
        except OSError as error:
            raise FileError(f"The disk of the instance folder has no room: {error.strerror}.") from error
        self._blocks.append(_Block(start, count, lines if isinstance(lines, range) else array("q", lines)))

    def find(self, keys: Collection[ReadingKey]) -> dict[ReadingKey, Met]:
        """Of some readings those that were met."""
        found: dict[ReadingKey, Met] = {}
        wanted = set(keys)
        box = _box(*zip(*wanted, strict=True)) if wanted and self._blocks else None
        for block in self._blocks if box else ():
            if block.box and box and _are_apart(block.box, box):
                continue
            sites, instants, values = self._read(block)
            block.box = block.box or _box(sites, instants)
            is_wanted = map(wanted.__contains__, zip(sites, instants, strict=True))
            for at in compress(range(block.count), is_wanted):
                found.setdefault((sites[at], instants[at]), Met([], values[at])).lines.append(block.lines[at])
        return found

    def of_sites(self, site_keys: Collection[int]) -> Iterator[Ready]:
        """All readings of some sites."""
        for block in self._blocks if site_keys else ():
            columns = self._read(block)
            yield from compress(zip(*columns, strict=True), map(site_keys.__contains__, columns[0]))

    def close(self) -> None:
        """Forget everything."""
        self._file.close()
        self._blocks.clear()

    def _read(self, block: _Block) -> Columns:
        self._file.seek(block.start)
        numbers = array("q", self._file.read(block.count * 3 * _BYTES))
        return numbers[: block.count], numbers[block.count : -block.count], numbers[-block.count :]


def _box(sites: Sequence[int], instants: Sequence[int]) -> _Box:
    return min(sites), max(sites), min(instants), max(instants)


def _are_apart(one: _Box, other: _Box) -> bool:
    return one[1] < other[0] or other[1] < one[0] or one[3] < other[2] or other[3] < one[2]
