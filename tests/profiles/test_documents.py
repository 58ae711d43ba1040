"""A document that contradicts itself is refused, by field."""

import copy
import json
from time import process_time
from typing import Any

import pytest

from jobauto.imports.profiles.cells import Table
from jobauto.imports.profiles.document import Profile, ProfileError

PLAIN: dict[str, Any] = {
    "file": {"kind": "delimited"},
    "header": {"find": ["Site"]},
    "site": {"column": "Site"},
    "time": {"columns": ["Date"], "formats": ["iso"]},
    "value": {"columns": ["kWh"]},
}
NAMED = {"names": ["Site", "Date", "kWh"]}
WHOLE = {
    "file": {
        "kind": "delimited", "encoding": "utf-16", "delimiter": ";", "comment": "#",
        "sheet": "Q4", "path": "a.b",
    },
    "header": {"find": ["MPAN", "Date"], "units_rows": 2},
    "site": {"column": "MPAN", "strip": "=\"", "aliases": {"Casa Uno": "PLANT-A"}},
    "time": {
        "columns": ["Date", "Time"], "formats": ["%d/%m/%Y %H:%M"], "zone": "Europe/London",
        "zone_column": "Time Zone", "label": "start", "minutes": 30, "date_only": "00:00",
    },
    "value": {
        "columns": ["Reading (kWh)", 3], "decimal": ",", "thousands": ".", "exponent": True,
        "missing": ["-", "NaN"], "unit": "MWh",
    },
    "layout": "rows", "measure": "interval", "same_instant": "add",
    "keep": [{"column": "Est", "is": ["A"], "is_not": ["-"], "starts_with": "AE"}],
    "estimated": {"column": "Type", "is": ["E"]},
    "source": "gw-A", "expected_hours": 24,
}  # fmt: skip


def changed(**parts: Any) -> dict[str, Any]:
    """The plain document with other parts; within a part, None takes a field away."""
    document = copy.deepcopy(PLAIN)
    for name, part in parts.items():
        if isinstance(part, dict) and name != "header":
            merged = document.get(name, {}) | part
            document[name] = {key: value for key, value in merged.items() if value is not None}
        elif part is None:
            document.pop(name, None)
        else:
            document[name] = part
    return document


@pytest.mark.parametrize("document", [PLAIN, WHOLE], ids=["plain", "whole"])
def test_what_is_given_comes_out_as_it_was(document: dict[str, Any]) -> None:
    assert Profile.parsed(document).document() == document


def test_what_is_left_out_has_its_default() -> None:
    profile = Profile.parsed(PLAIN)

    assert (profile.file.encoding, profile.file.delimiter, profile.file.sheet) == ("utf-8", ",", None)
    assert (profile.time.zone, profile.time.label, profile.time.date_only) == (None, "end", None)
    assert (profile.value.decimal, profile.value.thousands, profile.value.unit) == (".", None, "kWh")
    assert (profile.layout, profile.measure, profile.same_instant) == ("rows", "register", "refuse")
    assert (profile.heading.units_rows, profile.value.exponent) == (0, False)


@pytest.mark.parametrize(
    ("parts", "fields"),
    [
        ({"header": None}, {"header"}),
        ({"header": {}}, {"header"}),
        ({"header": {"find": ["Site"], **NAMED}}, {"header"}),
        ({"file": {"kind": "excel"}, "header": None}, {"header"}),
        ({"site": {"constant": "S1"}}, {"site"}),
        ({"site": {"column": None}}, {"site"}),
        ({"site": {"column": None, "constant": "S1", "file_name": "{site}.csv"}}, {"site"}),
        ({"site": {"column": None, "file_name": "export.csv"}}, {"site.file_name"}),
        ({"site": {"column": None, "constant": ".."}}, {"site.constant"}),
        ({"site": {"aliases": {"a": ""}}}, {"site.aliases.a"}),
        ({"time": {"label": "start"}}, {"time.minutes"}),
        ({"value": {"unit": "kW"}}, {"time.minutes"}),
        ({"layout": "wide_times", "value": {"columns": None}}, {"time.minutes"}),
        ({"layout": "wide_times", "time": {"minutes": 7}}, {"time.minutes"}),
        ({"value": {"columns": None}}, {"value.columns"}),
        ({"value": {"columns": []}}, {"value.columns"}),
        ({"time": {"columns": None}}, {"time.columns"}),
        ({"time": {"formats": None}}, {"time.formats"}),
        ({"time": {"columns": None, "formats": None}}, {"time.columns", "time.formats"}),
        ({"value": {"thousands": "."}}, {"value.decimal", "value.thousands"}),
        ({"value": {"thousand": "."}}, {"value.thousand"}),
        ({"measures": "interval"}, {"measures"}),
        ({"measure": "Register"}, {"measure"}),
        ({"file": {"kind": "xls"}}, {"file.kind"}),
        ({"file": {"encoding": "latin-99"}}, {"file.encoding"}),
        ({"file": {"encoding": "base64"}}, {"file.encoding"}),
        ({"file": {"encoding": "Punycode"}}, {"file.encoding"}),
        ({"file": {"encoding": "raw_unicode_escape"}}, {"file.encoding"}),
        ({"file": {"encoding": "UTF7"}}, {"file.encoding"}),
        ({"time": {"columns": ["Date"] * 12}}, {"time.columns"}),
        ({"value": {"columns": [*range(1, 5000), *range(1, 12)]}}, {"value.columns"}),
        ({"header": {"names": ["Site"] * 20_001}}, {"header.names"}),
        ({"value": {"columns": [1] * 20_001}}, {"value.columns"}),
        ({"value": {"missing": [""] * 1001}}, {"value.missing"}),
        ({"keep": [{}] * 300_000}, {"keep"}),
        ({"keep": [{"column": 1, "is": ["E"] * 1001}]}, {"keep.0.is"}),
        ({f"name {at}": 1 for at in range(1000)}, {"profile"}),
        ({"file": {"delimiter": ";;"}}, {"file.delimiter"}),
        ({"time": {"zone": "London"}}, {"time.zone"}),
        ({"time": {"formats": ["%d/%m"]}}, {"time.formats.0"}),
        ({"time": {"formats": ["iso", "%Y-%m-%d %Q"]}}, {"time.formats.1"}),
        ({"time": {"date_only": "6:00"}}, {"time.date_only"}),
        ({"value": {"columns": [0]}}, {"value.columns.0"}),
        ({"value": {"columns": [True]}}, {"value.columns.0"}),
        ({"keep": [{"column": "Est"}]}, {"keep.0"}),
        ({"estimated": {"is": ["E"]}}, {"estimated.column"}),
        ({"expected_hours": "24"}, {"expected_hours"}),
        ({"header": NAMED, "value": {"columns": ["Wh"]}}, {"value.columns.0"}),
        ({"header": NAMED, "time": {"columns": [4]}}, {"time.columns.0"}),
        ({"file": {"kind": "nem12"}, "keep": [{"column": "Suffix", "is": ["B1"]}]},
         {"site.column", "keep.0.column"}),
        ({"file": None, "site": None, "time": None, "value": None}, {"file", "site", "time", "value"}),
    ],
)  # fmt: skip
def test_a_document_that_contradicts_itself_is_refused_by_field(
    parts: dict[str, Any], fields: set[str]
) -> None:
    with pytest.raises(ProfileError) as refused:
        Profile.parsed(changed(**parts))

    assert set(refused.value.fields) == fields


def test_a_document_of_as_many_columns_as_there_may_be_is_looked_at_at_once() -> None:
    names = [f"c{at}" for at in range(20_000)]
    started = process_time()
    profile = Profile.parsed(
        changed(
            header={"names": names},
            site={"column": "c0"},
            time={"columns": ["c1"]},
            value={"columns": names[2:]},
        )
    )
    table = Table(names, lambda *_: iter(()))
    assert [table.place(column) for column in profile.value.columns] == list(range(2, 20_000))
    assert process_time() - started < 2


@pytest.mark.parametrize("sign", ["\0", "\ud800"], ids=["NUL", "half a character"])
@pytest.mark.parametrize(
    "more",
    [
        {"source": "a%"},
        {"site": {"column": "Site", "aliases": {"a%": "A"}}},
        {"keep": [{"column": "Site", "is": ["a%"]}]},
        {"value": {"columns": ["kWh"], "missing": ["a%"]}},
    ],
    ids=lambda more: next(iter(more)),
)
def test_a_text_with_what_is_no_character_is_refused(more: dict[str, Any], sign: str) -> None:
    """PostgreSQL reads no document that has one, so the dashboard of everybody would fail."""
    document = json.loads(json.dumps(PLAIN | more).replace("%", json.dumps(sign)[1:-1]))
    with pytest.raises(ProfileError, match=r"Must be text, without NUL|valid string"):
        Profile.parsed(document)


@pytest.mark.parametrize("document", [None, [], "delimited", 7])
def test_what_is_no_document_at_all_is_refused(document: Any) -> None:
    with pytest.raises(ProfileError):
        Profile.parsed(document)


@pytest.mark.parametrize(
    "document",
    [
        changed(layout="wide_sites", site={"column": None}, value={"columns": None}),
        changed(layout="wide_times", time={"minutes": 30}, value={"columns": None}),
        changed(header=NAMED),
        changed(header=NAMED, value={"columns": [3]}),
        {"file": {"kind": "d0010"}, "site": {}, "time": {}, "value": {}},
        {"file": {"kind": "nem12"}, "site": {}, "time": {}, "value": {}},
        {"file": {"kind": "iec62056"}, "site": {"constant": "S1"}, "time": {}, "value": {}},
        {"file": {"kind": "green_button"}, "site": {"aliases": {"0": "S1"}}, "time": {}, "value": {}},
        changed(file={"kind": "json"}, header=None),
        changed(time={"label": "start", "minutes": 1440}),
    ],
)
def test_what_a_kind_or_layout_needs_not_may_be_left_out(document: dict[str, Any]) -> None:
    Profile.parsed(document)
