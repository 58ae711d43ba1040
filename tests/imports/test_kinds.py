"""What a file holds is told by its header; who says otherwise is told so."""

from io import BytesIO

import pytest

from jobauto.imports.kinds import OtherKind, kind_of
from jobauto.imports.lines import FileError

READINGS = "site_id,reading_date,reading_value"
SITES = "site_id,site_name,group"


@pytest.mark.parametrize(
    ("header", "said", "kind"),
    [
        pytest.param(READINGS, "", "readings", id="readings"),
        pytest.param(SITES, "", "sites", id="sites"),
        pytest.param("\nsep=;\nSite Name;Site-ID", "", "sites", id="other ways to write it"),
        pytest.param(READINGS, "readings", "readings", id="said as it is"),
        pytest.param(f"{READINGS},site_name", "readings", "readings", id="either, and said"),
        pytest.param(f"{READINGS},unit", "", "readings", id="a column that refuses it later"),
    ],
)
def test_the_header_tells_what_a_file_holds(header: str, said: str, kind: str) -> None:
    file = BytesIO(f"{header}\nS1,1,2\n".encode())
    assert kind_of(file, said) == kind
    assert file.tell() == 0


@pytest.mark.parametrize(
    ("header", "said", "why"),
    [
        pytest.param(
            SITES, "readings", "contains sites: it names site_id, site_name", id="sites, not readings"
        ),
        pytest.param(
            READINGS, "sites", "contains readings: it names site_id, reading_date", id="the reverse"
        ),
        pytest.param(f"{READINGS},site_name", "", "Choose what is to be taken", id="either"),
    ],
)
def test_a_choice_that_the_header_contradicts_or_needs_is_told_apart(
    header: str, said: str, why: str
) -> None:
    with pytest.raises(OtherKind, match=why):
        kind_of(BytesIO(f"{header}\n".encode()), said)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param("", "The file is empty", id="empty"),
        pytest.param("MPAN,Date\n", "reading_value or of site_id, site_name", id="neither"),
        pytest.param("MPAN,Date\n", "A file of another feed needs its profile", id="neither: the way out"),
        pytest.param("S1,2026-03-31,1\n", "has no header", id="no header"),
        pytest.param(f"Export of March\n{SITES}\n", "header is in line 2", id="titles above"),
        pytest.param("PK\x03\x04 xl/", "Excel workbook", id="a workbook"),
    ],
)
def test_a_header_that_says_neither_is_refused_with_the_reason(content: str, why: str) -> None:
    with pytest.raises(FileError, match=why) as refusal:
        kind_of(BytesIO(content.encode()))
    assert not isinstance(refusal.value, OtherKind)
