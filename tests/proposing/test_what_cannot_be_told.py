"""What a file leaves open is asked with an example from it; what its other cells rule out is not."""

from collections.abc import Sequence

import pytest

from tests.profiles.test_given_files import FILES
from tests.profiles.workbooks import Serial, Value, workbook
from tests.proposing.test_given_files import proposal_for

MISREAD = FILES / "misread"


def of(lines: str, field: str, name: str = "a.csv") -> tuple[object, str]:
    """What is proposed for a field of a small file, None where it is asked; and the reason or question."""
    proposed = proposal_for(lines.encode(), name, {"feed": "none"}, sites={"A", "B"}).fields[field]
    return proposed.value, proposed.reason


def dated(*dates: str) -> str:
    return "site,date,kWh reading\n" + "".join(f"A,{date},{100 + at}\n" for at, date in enumerate(dates))


def valued(*values: str, delimiter: str = ",", name: str = "kWh reading") -> str:
    rows = (f"A;2026-11-{day:02}T06:00Z;{value}\n" for day, value in enumerate(values, start=1))
    return (f"site;date;{name}\n" + "".join(rows)).replace(";", delimiter)


@pytest.mark.parametrize(
    ("dates", "format_", "why"),
    [
        (["05/11/2026", "06/11/2026"], None, "05/11/2026: 5 November 2026 or 11 May 2026?"),
        (["05/11/2026", "13/11/2026"], "%d/%m/%Y", "Only with the day first"),
        (["05/11/2026", "05/13/2026"], "%m/%d/%Y", "Only with the month first"),
        (["12/05/2026", "11/06/2026"], "%d/%m/%Y", "none of them in the future"),
        (["22/11/26"], None, "22/11/26: 22 November 2026 or 26 November 2022?"),
        (["05.11.2026", "06.11.2026"], "%d.%m.%Y", "Dates with dots have the day first"),
        (["05.11.26"], None, "05.11.26: 5 November 2026 or 26 November 2005?"),
        (["2026-11-05"], "iso", "year"),
        (["2026/11/05 06:00"], "%Y/%m/%d %H:%M", "year"),
        (["5 Nov 2026", "6 Nov 2026"], "%d %b %Y", ""),
        (["05/11/2026 24:00", "14/11/2026"], "%d/%m/%Y %H:%M\n%d/%m/%Y", "day"),
        (["20261105", "20261106"], "%Y%m%d", "year"),
        (["1793858400", "1793944800"], "unix", "1970"),
        (["11/05/2026 1:30 PM", "11/25/2026 1:30 PM"], "%m/%d/%Y %I:%M %p", "month"),
    ],
)  # fmt: skip
def test_the_order_of_a_date_is_asked_unless_the_dates_rule_it_out(
    dates: list[str], format_: str | None, why: str
) -> None:
    value, reason = of(dated(*dates), "formats")

    assert value == format_
    assert why in reason


@pytest.mark.parametrize(
    ("values", "form", "why"),
    [
        (["1204.5", "1227"], ".", "Only so"),
        (["1204,5", "1227,25"], ",", "Only so"),
        (["1.204", "1.227"], None, "1.204: 1.204 or 1204?"),
        (["1,204", "1,227"], None, "1,204: 1.204 or 1204?"),
        (["0.811", "1.204"], ".", "Only so"),
        (["1.204,5", "227"], ",|.", "Only so"),
        (["1,204.5", "227"], ".|,", "Only so"),
        (["1 204,5", "227"], ",| ", "Only so"),
        (["1204", "1227"], ".", "whole numbers"),
    ],
)
def test_the_sign_of_decimals_is_asked_where_it_may_stand_between_thousands(
    values: list[str], form: str | None, why: str
) -> None:
    value, reason = of(valued(*values, delimiter=";"), "numbers")

    assert value == form
    assert why in reason


@pytest.mark.parametrize(
    ("values", "name", "measure", "why"),
    [
        (["1", "5", "9", "13", "20"], "kWh", "register", "The register never falls."),
        (["100", "101"], "kWh", "register", "changes little beside its size"),
        (
            ["5.2", "6.7"],
            "kWh",
            None,
            "5.2, then 6.7: what the meter showed, or the energy of each interval?",
        ),
        (["5.2", "6.7"], "Meter reading", "register", "The column is called Meter reading"),
        (["5.2", "3.1", "4", "2"], "kWh", "interval", "5.2, then 3.1"),
        (["5.2", "3.1", "4", "2"], "Meter reading", "interval", "5.2, then 3.1"),
        (["3"], "Consumption (kWh)", "interval", "The column is called Consumption"),
    ],
)
def test_register_or_interval_is_shown_by_falls_and_asked_where_two_values_show_nothing(
    values: list[str], name: str, measure: str | None, why: str
) -> None:
    value, reason = of(valued(*values, name=name), "measure")

    assert value == measure
    assert why in reason


def test_the_values_of_one_site_are_compared_also_before_somebody_has_said_which_column_names_it() -> None:
    rows = "".join(
        f"{site},{meter},{day}/11/2026,{kwh}\n"
        for day, more in ((13, 0), (14, 4), (15, 9))
        for site, meter, kwh in (("A1", "M1", 10212.5 + more), ("B1", "M2", 1771 + more))
    )

    told = of(f"site,meter serial,date,kWh\n{rows}", "measure")

    assert told == ("register", "The register never falls.")


def test_a_register_whose_newest_reading_stands_first_never_falls() -> None:
    rows = "".join(f"A,2026-11-{20 - at:02}T06:00Z,{100 - 3 * at}\n" for at in range(6))

    assert of(f"site,date,kWh\n{rows}", "measure") == ("register", "The register never falls.")


def test_a_row_a_day_is_one_of_intervals_where_any_value_falls() -> None:
    clocks = ",".join(f"{hour:02}:00" for hour in range(24))
    rising = ",".join(map(str, range(24)))

    value, reason = of(f"site,date,{clocks}\nA,2026-11-01,{rising}\nA,2026-11-02,{rising}\n", "measure")

    assert (value, reason.endswith("23, then 0.")) == ("interval", True)


def test_numbers_that_look_like_dates_and_exponents_stay_serials() -> None:
    lines = "meter,value,date\n21E00777,1,2026-11-05T06:00Z\n21E00778,2,2026-11-06T06:00Z\n"

    assert of(lines, "site") == ("column:meter", "By its name, and what stands in it: 21E00777.")
    assert of(lines, "value_columns")[0] == ("value",)


@pytest.mark.parametrize(
    ("name", "field", "question"),
    [
        ("l01_ambiguous_day_first.csv", "formats", "05/11/2026 09:30: 5 November 2026 or 11 May 2026?"),
        ("l02_two_digit_year.csv", "formats", "22/11/26: 22 November 2026 or 26 November 2022?"),
        ("m01_thousands_dot.csv", "numbers", "1.204: 1.204 or 1204?"),
        ("m04_two_rates_same_instant.csv", "parts", "differ in register: DY, NT. Which count?"),
        ("m07_estimated.csv", "estimates", "What becomes of rows with Estimated?"),
    ],
)
def test_of_a_file_that_is_easily_misread_it_is_asked(name: str, field: str, question: str) -> None:
    value, reason = of((MISREAD / name).read_text(), field, name)

    assert value is None
    assert question in reason


def test_as_long_as_nobody_has_said_the_site_nothing_is_asked_about_its_rows() -> None:
    """Their names would be taken for registers of one meter, to be added up."""
    rows = "".join(f"Süd-{site};{day:02}/11/2026;12{day}{site},5\n" for day in (13, 14) for site in (1, 2))
    content = f"Zähler;Datum;kWh\n{rows}".encode("cp1252")

    unsaid = proposal_for(content, "a.csv", {"feed": "none"}, sites=set()).fields
    said = proposal_for(content, "a.csv", {"feed": "none", "site": "column:Zähler"}, sites=set()).fields

    assert unsaid["site"].value is None
    assert "parts" not in unsaid
    assert "parts" not in said


def test_values_that_fall_are_taken_for_intervals_and_the_reason_shows_them() -> None:
    assert of((MISREAD / "m05_interval_values.csv").read_text(), "measure") == (
        "interval",
        "The values fall again and again: 2.4, then 2.2.",
    )


@pytest.mark.parametrize(
    ("parts", "keep", "same"),
    [("add", [], "add"), ("only:DY", [{"column": "register", "is": ["DY"]}], "refuse")],
)
def test_registers_of_one_time_are_added_up_or_one_of_them_counts(
    parts: str, keep: list[object], same: str
) -> None:
    content = (MISREAD / "m04_two_rates_same_instant.csv").read_bytes()

    document = proposal_for(content, "a.csv", {"parts": parts}).document()

    assert (document.get("keep", []), document.get("same_instant", "refuse")) == (keep, same)


def test_an_answer_stands_and_the_proposal_is_still_told() -> None:
    proposed = proposal_for(valued("1", "2").encode(), "a.csv", {"unit": "Wh"}).fields["unit"]

    assert (proposed.value, proposed.own) == ("Wh", "kWh")
    assert "Proposed was: kWh." in proposed.reason


def test_what_rests_on_an_answer_follows_it() -> None:
    lines = b"site,date,a,b\nA,2026-11-01T06:00Z,1,100\nA,2026-11-02T06:00Z,2,101\n"

    assert "measure" not in proposal_for(lines, "a.csv", {}).fields
    assert proposal_for(lines, "a.csv", {"value_columns": ("b",)}).text("measure") == "register"


@pytest.mark.parametrize("hours", [3, 12])
def test_a_counter_that_begins_anew_each_day_is_neither_register_nor_intervals(hours: int) -> None:
    rows = [f"A,2026-11-0{day}T{8 + at:02}:00,{at * 1.5}\n" for day in range(3, 7) for at in range(hours)]

    value, reason = of("site,date,Daily production (kWh)\n" + "".join(rows), "measure")

    assert value is None
    assert "begin anew each day" in reason


@pytest.mark.parametrize(
    ("name", "texts", "asked"),
    [
        ("Read Type", ["A", "A", "E"], "Read Type says A, E. What becomes of rows with E?"),
        ("Direction", ["I", "I", "E"], None),
    ],
)
def test_a_letter_for_estimated_rows_is_one_in_a_column_that_tells_of_such(
    name: str, texts: list[str], asked: str | None
) -> None:
    rows = "".join(f"A,2026-11-0{day}T06:00Z,{100 + day},{text}\n" for day, text in enumerate(texts, 1))
    found = proposal_for(f"site,date,kWh,{name}\n{rows}".encode(), "a.csv", {"feed": "none"}, sites={"A"})

    assert (found.fields["estimates"].reason if asked else found.fields.get("estimates")) == asked


def test_a_common_feed_whose_profile_knows_of_no_estimates_is_asked_about_them() -> None:
    names = "Tot (datum);Tot (tijdstip);EAN-code;Register;Volume;Validatiestatus"
    rows = "".join(
        f'0{day}-11-2026;00:15:00;="541";Injectie Dag;0,125;{status}\n'
        for day, status in enumerate(["Gevalideerd", "Geschat", "Gevalideerd"], 1)
    )

    proposal = proposal_for(f"{names}\n{rows}".encode(), "a.csv", {})

    assert (proposal.text("feed"), proposal.open_questions) == ("fluvius", ["estimates"])


@pytest.mark.parametrize(
    ("units", "unit", "why"),
    [
        (["Wh", "Wh"], "Wh", "The column Unit says Wh."),
        (["kWh", "Wh"], None, "The column Unit says kWh, Wh. Choose which rows count, then their unit."),
    ],
)
def test_the_unit_is_that_of_a_column_of_units(units: list[str], unit: str | None, why: str) -> None:
    rows = "".join(f"A,2026-11-0{day}T06:00Z,{100 + day},{text}\n" for day, text in enumerate(units, 1))

    assert of(f"site,date,energy,Unit\n{rows}", "unit") == (unit, why)


def test_rows_of_a_day_that_differ_in_what_is_measured_are_asked_about() -> None:
    clocks = ",".join(f"{hour:02}:00" for hour in range(24))
    rows = "".join(f"A,2026-11-01,{what},{','.join(map(str, range(24)))}\n" for what in ("AE", "RE"))

    value, reason = of(f"site,date,Measurement,{clocks}\n{rows}", "parts")

    assert (value, "differ in Measurement: AE, RE. Which count?" in reason) == (None, True)


def test_rows_of_a_common_feed_that_differ_in_what_is_measured_are_asked_about() -> None:
    periods = ",".join(f"P{number}" for number in range(1, 49))
    rows = "".join(f"A,01/11/2026,{what},{','.join(['0.5'] * 48)}\n" for what in ("AE", "AI"))

    proposal = proposal_for(f"MPAN,Date,Quantity,{periods}\n{rows}".encode(), "a.csv", {})

    assert (proposal.text("feed"), "parts" in proposal.open_questions) == ("settlement_periods", True)


def test_values_that_do_not_fall_are_no_register_where_their_name_is_one_of_intervals() -> None:
    assert of(valued("0", "0.1", "0.2", "0.3", "0.4", name="Consumption (kWh)"), "measure")[0] is None


@pytest.mark.parametrize(("name", "clocks"), [("time", "{:02}00"), ("period", "{}")])
def test_rows_of_one_day_have_a_time_of_day_or_are_asked_for_it(name: str, clocks: str) -> None:
    rows = "".join(f"A,20261103,{clocks.format(hour)},{hour % 3}.5\n" for hour in range(1, 24))
    found = proposal_for(f"site,date,{name},kWh\n{rows}".encode(), "a.csv", {"feed": "none"}, sites={"A"})

    if name == "time":
        assert (found.several("time_columns"), found.text("formats")) == (("date", "time"), "%Y%m%d %H%M")
    else:
        assert "23 rows are of A on 20261103" in found.fields["date_only"].reason


def test_names_that_stand_among_the_rows_again_are_no_values() -> None:
    rows = [f"A,2026-11-{day:02}T06:00Z,{5000 + day}\n" for day in range(1, 11)]
    names = "site,date,kWh\n"

    assert of("".join([names, *rows[:5], names, *rows[5:]]), "measure")[0] == "register"


def test_commas_within_the_numbers_stand_between_no_fields() -> None:
    rows = "".join(f"{day:02}.11.2026 06:00;{day},5;1{day},25\n" for day in range(10, 20))

    assert of(f"Datum;Erzeugung;Einspeisung\n{rows}", "delimiter")[0] == ";"


def test_what_home_assistant_writes_for_no_reading_is_none() -> None:
    rows = "".join(
        f"sensor.pv,{kwh},2026-11-01T06:0{at}:00Z\n" for at, kwh in enumerate(["5", "unavailable", "6"])
    )

    proposal = proposal_for(f"entity_id,state,last_changed\n{rows}".encode(), "a.csv", {})

    assert (proposal.text("feed"), proposal.text("missing")) == ("home_assistant", "unknown; unavailable")


DAY = 46331.0
"""5 November 2026 in a workbook."""
HALF_HOURS: list[list[Value]] = [[Serial(DAY + at / 48, 3)] for at in range(49)]
DATE_AND_TIME: list[list[Value]] = [[Serial(DAY, 1), Serial(at / 48, 2)] for at in range(48)]
DAYS: list[list[Value]] = [[Serial(DAY + at, 1)] for at in range(8)]
WRITTEN: list[list[Value]] = [[f"15/11/2026 {hour:02}:00" if hour else "15/11/2026"] for hour in range(24)]


@pytest.mark.parametrize(
    ("times", "is_falling", "asked", "minutes"),
    [
        pytest.param(HALF_HOURS, True, ["label"], "", id="a midnight among half hours"),
        pytest.param(HALF_HOURS, False, [], "", id="the same of a register"),
        pytest.param(DATE_AND_TIME, True, ["label"], "", id="dates beside times"),
        pytest.param(DAYS, True, [], "1440", id="days"),
        pytest.param(DAYS, False, ["date_only"], "", id="days of a register"),
        pytest.param(WRITTEN, True, ["date_only", "label"], "", id="a midnight that is written as a date"),
    ],
)
def test_a_date_without_a_time_is_a_day_only_where_no_other_has_one(
    times: Sequence[Sequence[Value]], is_falling: bool, asked: list[str], minutes: str
) -> None:
    kwh = [5.0 + (at % 3 if is_falling else at) for at in range(len(times))]
    names = ["Date", "Time"][: len(times[0])]
    rows: list[list[Value]] = [[*cells, "A", value] for cells, value in zip(times, kwh, strict=True)]
    content = workbook({"Data": [[*names, "Site", "kWh"], *rows]})

    proposal = proposal_for(content, "a.xlsx", {"feed": "none"}, sites={"A"})

    assert sorted(proposal.open_questions) == asked
    assert proposal.text("minutes") == minutes


@pytest.mark.parametrize(
    ("name", "offered"),
    [
        ("28_fit_reads.csv", []),
        ("export_S1_20261105.csv", ["S1"]),
        ("Meter data 2026-11.csv", []),
        ("WEIR-07 daily.csv", ["WEIR-07"]),
        ("1900000000012_202611.csv", ["1900000000012"]),
        ("Abbey.csv", ["Abbey"]),
    ],
)
def test_of_a_files_name_only_what_may_be_a_site_is_offered(name: str, offered: list[str]) -> None:
    options = proposal_for(dated("2026-11-05").encode(), name, {}, sites=set()).fields["site"].options

    assert [label for value, label in options if value.startswith("name:")] == [
        f"The file's name: {part}" for part in offered
    ]


READS: list[list[Value]] = [
    ["site", "date", "kWh"],
    ["A", "2026-11-05T06:00Z", 100],
    ["A", "2026-11-06T06:00Z", 101],
]


@pytest.mark.parametrize(
    ("sheets", "sheet"),
    [({"Q1 reads": READS, "Notes": [["x"]]}, None), ({"Notes": [["x"]], "Q1 reads": READS}, "Q1 reads")],
    ids=["first", "not first"],
)
def test_a_sheet_is_named_only_where_it_is_not_the_first(
    sheets: dict[str, list[list[Value]]], sheet: str | None
) -> None:
    """The next quarter's workbook calls its own otherwise."""
    document = proposal_for(workbook(sheets), "a.xlsx", {}, sites={"A"}).document()

    assert document["file"].get("sheet") == sheet


def test_a_common_feed_is_recognised_in_another_encoding_too() -> None:
    text = (FILES / "11_sma_daily.csv").read_bytes().decode("utf-8-sig")

    assert proposal_for(text.encode("utf-16"), "a.csv", {}).text("feed") == "sma"
