"""The words of a note around what a search has found in it."""

import pytest

from jobauto.jobs.excerpts import AROUND, LONGEST, Part, excerpt

LONG = "The caretaker says " + "that nothing can be done " * 10 + "before Monday at the inverter."


def marked(parts: list[Part]) -> str:
    return "".join(f"[{part.text}]" if part.is_found else part.text for part in parts)


@pytest.mark.parametrize(
    ("note", "searched", "shown"),
    [
        pytest.param("Key at No. 4.", "key", "[Key] at No. 4.", id="whole"),
        pytest.param("Key, then key.", "KEY", "[Key], then [key].", id="each time"),
        pytest.param("Ask Ørsted.", "orsted", "Ask [Ørsted].", id="without accents"),
        pytest.param("At NE46 3PA now", "ne463pa", "At [NE46 3PA] now", id="over a blank"),
        pytest.param("The caretaker", "take care", "The [caretake]r", id="two words that touch"),
        pytest.param("One\n two", "two", "One [two]", id="over lines"),
        pytest.param("Key & lock", "&", "", id="punctuation alone"),
        pytest.param("Key", "lock", "", id="another note"),
        pytest.param(
            LONG,
            "inverter",
            "… can be done that nothing can be done before Monday at the [inverter].",
            id="from a word",
        ),
        pytest.param(
            LONG,
            "caretaker",
            "The [caretaker] says that nothing can be done that nothing can be done that …",
            id="to a word",
        ),
        pytest.param(
            "a" * 500 + "b" + "c" * 500, "b", f"… {'a' * AROUND}[b]{'c' * AROUND} …", id="in one long word"
        ),
        pytest.param("a" * 500, "a", f"[{'a' * LONGEST}]{'a' * AROUND} …", id="found everywhere"),
    ],
)
def test_it_is_cut_between_words_and_what_was_found_is_marked(note: str, searched: str, shown: str) -> None:
    assert marked(excerpt(note, searched.split())) == shown
