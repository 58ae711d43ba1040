"""What nobody means to type, or a script gets wrong, ends with a sentence."""

import pytest

from tests.cli.conftest import Cli

NOT_TEXT = "\udcff"
"""How Python has a byte of the command line that is not UTF-8."""


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        pytest.param(["undo-import", "9" * 20], "not in the range", id="a number longer than any"),
        pytest.param(["cancel-import", "9" * 20], "not in the range", id="the same of a cancel"),
        pytest.param(["show-profile", NOT_TEXT], "is not utf-8", id="a name that is not text"),
        pytest.param(["set-password", NOT_TEXT], "is not utf-8", id="a user whose name is not text"),
        pytest.param(["save-profile", "Endless", "/dev/zero"], "The file is too large", id="an endless file"),
    ],
)
def test_it_is_2(standing_cli: Cli, arguments: list[str], why: str) -> None:
    result = standing_cli(*arguments, input="a long password\na long password\n")
    assert isinstance(result.exception, SystemExit), result.exception
    assert (result.exit_code, why in result.output) == (2, True), result.output


def test_a_folder_that_cannot_be_made_is_told(standing_cli: Cli) -> None:
    result = standing_cli("static-files", "/proc/nowhere")
    assert result.exit_code == 1
    assert result.output.startswith("Error: The files were not copied: ")


def test_a_run_by_somebody_whose_name_is_not_text(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", f"an{NOT_TEXT}a")
    assert cli("run-daily-job-automation").exit_code == 0
