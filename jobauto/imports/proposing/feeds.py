"""Whether a file is one of a common feed: a shipped profile reads most of its first rows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from ..lines import FileError
from ..profiles.document import Profile
from ..profiles.reader import rows_of
from ..profiles.shipped import SHIPPED, Shipped
from .columns import form_of
from .proposal import Value
from .sample import Sample
from .tables import Table

TRIED = 20
ANY_SITE = {"constant": "S"}


@dataclass(frozen=True)
class Feed:
    """A common feed, and what its profile says of the fields of a proposal."""

    name: str
    title: str
    values: dict[str, Value]
    keep: list[dict[str, Any]]
    estimated: dict[str, Any] | None


def feed_of(
    sample: Sample, kind: str, form: dict[str, str], table: Table | None, zone: ZoneInfo, now: datetime
) -> Feed | None:
    """The feed whose profile reads a sample; of several, that which looks for the most cells.

    ``form`` is how the sample is written whoever sends it: its ``encoding`` and ``delimiter``.
    """
    fitting = [
        (len(shipped.document.get("header", {}).get("find", ())), name, shipped)
        for name, shipped in SHIPPED.items()
        if shipped.document["file"]["kind"] == kind
        and _may_be(shipped, sample, table)
        and _reads(shipped, sample, form, zone, now)
    ]
    if not fitting:
        return None
    _, name, shipped = max(fitting, key=lambda each: each[0])
    document = shipped.document
    return Feed(name, shipped.title, _values(shipped), document.get("keep", []), document.get("estimated"))


def profile_of(
    sample: Sample, profiles: Iterable[tuple[str, Profile]], zone: ZoneInfo, now: datetime
) -> str | None:
    """The name of the profile that reads most of a sample's first rows; of several, as with feeds."""
    fitting = [
        (len(profile.header.find or () if profile.header else ()), name)
        for name, profile in profiles
        if profile.file.kind == sample.kind and _reads_by(profile, sample, zone, now)
    ]
    return max(fitting)[1] if fitting else None


def _may_be(shipped: Shipped, sample: Sample, table: Table | None) -> bool:
    """A quick look: a workbook takes its time to read."""
    wanted = shipped.document.get("header", {}).get("find", ())
    if sample.kind == "excel":
        return table is not None and set(wanted) <= set(table.names)
    return sample.kind == "json" or all(name in sample.text for name in wanted)


def _reads(shipped: Shipped, sample: Sample, form: dict[str, str], zone: ZoneInfo, now: datetime) -> bool:
    document = shipped.document | {"file": shipped.document["file"] | form}
    if "site" in shipped.asks:
        document = document | {"site": ANY_SITE}
    return _reads_by(Profile.parsed(document), sample, zone, now)


def _reads_by(profile: Profile, sample: Sample, zone: ZoneInfo, now: datetime) -> bool:
    try:
        with rows_of(sample.stream(), profile, sample.file_name, zone, now) as rows:
            blocks = list(islice(rows.blocks(TRIED), 1))
    except FileError:
        return False
    return sum(len(block.lines) for block in blocks) > sum(len(block.rejected) for block in blocks)


def _values(shipped: Shipped) -> dict[str, Value]:
    """What a document says, by the fields of a proposal."""
    document = shipped.document
    site, time, value = document["site"], document["time"], document["value"]
    found: dict[str, Value] = {
        "layout": document.get("layout", "rows"),
        "measure": document.get("measure", "register"),
        "unit": value.get("unit", "kWh"),
        "label": time.get("label", "end"),
        "numbers": value.get("decimal", ".") + (f"|{value['thousands']}" if "thousands" in value else ""),
        "missing": "; ".join(value.get("missing", [])),
    }
    if "column" in site:
        found["site"] = f"column:{form_of(site['column'])}"
    if "strip" in site:
        found["strip"] = site["strip"]
    found |= {name: time[name] for name in ("zone", "date_only") if name in time}
    found |= {name: document[name] for name in ("same_instant",) if name in document}
    if "minutes" in time:
        found["minutes"] = str(time["minutes"])
    if "formats" in time:
        found["formats"] = "\n".join(time["formats"])
    for name, columns in (("time_columns", time.get("columns")), ("value_columns", value.get("columns"))):
        if columns:
            found[name] = tuple(map(form_of, columns))
    return {name: value for name, value in found.items() if name not in shipped.asks}
