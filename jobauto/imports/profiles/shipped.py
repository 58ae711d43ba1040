"""Profiles of common feeds, to begin with: by the forms that their makers have published."""

from typing import Any, NamedTuple


class Shipped(NamedTuple):
    """A profile that nobody has saved yet, and whose files it reads."""

    title: str
    document: dict[str, Any]
    asks: tuple[str, ...] = ()
    """What of the document is an example: ``site`` where the files do not say it, ``minutes`` or ``formats``
    where they differ from file to file."""


def _of_kind(kind: str, **parts: Any) -> dict[str, Any]:
    return {"file": {"kind": kind}, "site": {}, "time": {}, "value": {}} | parts


def _table(
    find: list[str], site: dict[str, Any], time: dict[str, Any], value: dict[str, Any], **parts: Any
) -> dict[str, Any]:
    kind = {"file": {"kind": "delimited"}}
    return kind | {"header": {"find": find}, "site": site, "time": time, "value": value} | parts


SHIPPED = {
    "passiv": Shipped(
        "Passiv: registers of generation meters",
        _table(
            ["Generation MSN"],
            {"column": "Generation MSN"},
            {"columns": ["Date/Time Stamp"], "formats": ["iso"]},
            {"columns": ["Latest Generation Meter Reading (kWh)"]},
        ),
    ),
    "stark": Shipped(
        "Stark: half hours, a row a day",
        _table(
            ["MPAN", "Date", "00:30"],
            {"column": "MPAN"},
            {"columns": ["Date"], "formats": ["%d/%m/%y"], "zone": "UTC", "minutes": 30},
            {},
            layout="wide_times",
            measure="interval",
            keep=[{"column": "Est", "is_not": ["-"]}],
            estimated={"column": "Est", "is": ["E"]},
        ),
    ),
    "edf": Shipped(
        "EDF: half hours, a row a day, each with its type",
        _table(
            ["MPN", "00:00"],
            {"column": "MPN"},
            {"columns": ["Date (UTC)"], "formats": ["%d-%m-%Y"], "zone": "UTC", "minutes": 30},
            {},
            layout="wide_times",
            measure="interval",
        ),
    ),
    "influx": Shipped(
        "InfluxDB: annotated CSV, the site as a tag",
        _table(
            ["_time", "_value"],
            {"column": "site"},
            {"columns": ["_time"], "formats": ["iso"]},
            {"columns": ["_value"]},
            file={"kind": "delimited", "comment": "#"},
        ),
    ),
    "settlement_periods": Shipped(
        "Settlement periods: half hours as P1 to P50, a row a day",
        _table(
            ["MPAN", "Date", "P1", "P48"],
            {"column": "MPAN"},
            {"columns": ["Date"], "formats": ["%d/%m/%Y"], "zone": "Europe/London", "minutes": 30},
            {},
            layout="wide_times",
            measure="interval",
        ),
        ("formats",),
    ),
    "sma": Shipped(
        "SMA: registers of an inverter, from its own pages",
        _table(
            ["Metering.TotWhOut"],
            {"constant": "SITE"},
            {"columns": [1], "formats": ["%d.%m.%Y %H:%M:%S"]},
            {"columns": ["Metering.TotWhOut"], "unit": "Wh", "missing": ["NaN"]},
        )
        | {"header": {"find": ["Metering.TotWhOut"], "units_rows": 2}},
        ("site",),
    ),
    "enphase": Shipped(
        "Enphase: energy of intervals, the month first",
        _table(
            ["Date/Time", "Energy Produced (Wh)"],
            {"constant": "SITE"},
            {"columns": ["Date/Time"], "formats": ["%m/%d/%Y %H:%M"], "label": "start", "minutes": 15},
            {"columns": ["Energy Produced (Wh)"], "unit": "Wh"},
            measure="interval",
        ),
        ("site", "minutes"),
    ),
    "fluvius": Shipped(
        "Fluvius: quarter hours of what is fed in",
        _table(
            ["Tot (datum)", "Tot (tijdstip)", "EAN-code", "Register", "Volume"],
            {"column": "EAN-code", "strip": '="'},
            {
                "columns": ["Tot (datum)", "Tot (tijdstip)"],
                "formats": ["%d-%m-%Y %H:%M:%S", "%d-%m-%Y %H:%M"],
                "zone": "Europe/Brussels",
            },
            {"columns": ["Volume"], "decimal": ","},
            file={"kind": "delimited", "delimiter": ";"},
            measure="interval",
            same_instant="add",
            keep=[{"column": "Register", "starts_with": "Injectie"}],
        ),
    ),
    "home_assistant": Shipped(
        "Home Assistant: the history of sensors that count energy",
        _table(
            ["entity_id", "state", "last_changed"],
            {"column": "entity_id"},
            {"columns": ["last_changed"], "formats": ["iso"]},
            {"columns": ["state"], "missing": ["unknown", "unavailable"]},
        ),
    ),
    "d0010": Shipped("D0010: readings of the British industry", _of_kind("d0010")),
    "nem12": Shipped(
        "NEM12: intervals of the Australian market, what is exported",
        _of_kind(
            "nem12",
            time={"zone": "Australia/Brisbane"},
            measure="interval",
            keep=[{"column": "NMISuffix", "starts_with": "B"}],
        ),
    ),
    "green_button": Shipped("Green Button: intervals in XML", _of_kind("green_button", measure="interval")),
    "iec62056": Shipped("IEC 62056-21: read-outs of meters", _of_kind("iec62056")),
}
