"""The next item is made when there is time for it, once, and an error in it is told where it is used."""

from collections.abc import Iterator

import pytest

from jobauto.imports.prefetch import Prefetch


def test_items_come_in_order_prepared_or_not() -> None:
    items, told = Prefetch(iter(range(6))), []
    for item in items:
        told.append(item)
        for _ in range(item % 3):
            items.fetch()
    assert told == [0, 1, 2, 3, 4, 5]


def test_the_next_item_is_made_at_once_and_no_more() -> None:
    begun: list[int] = []
    items = Prefetch(begun.append(number) or number for number in range(4))  # type: ignore[func-returns-value]
    assert (next(items), begun) == (0, [0])
    items.fetch()
    items.fetch()
    assert begun == [0, 1]
    assert (next(items), begun) == (1, [0, 1])


def test_an_error_in_making_is_raised_where_the_item_is_asked_for() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise OSError("the disk is gone")

    items = Prefetch(broken())
    assert next(items) == 1
    items.fetch()
    with pytest.raises(OSError, match="the disk is gone"):
        next(items)
    assert list(items) == []


def test_who_is_interrupted_hears_of_it_at_once() -> None:
    def interrupted() -> Iterator[int]:
        raise KeyboardInterrupt
        yield 1

    items = Prefetch(interrupted())
    with pytest.raises(KeyboardInterrupt):
        items.fetch()
    assert list(items) == []
