from dataclasses import replace

from gateway.catalogue import Catalogue
from gateway.model import (
    BookLine,
    BookStock,
    ExpectedSet,
    Item,
    Location,
    OrderReference,
    ReferenceDeleted,
    Task,
)

NUT = Item("NUT", unit_mg=5000)
BOLT = Item("BOLT", unit_mg=9000, version=3)
SHELF = Location("SHELF")
EXPECTED = ExpectedSet("ASN-1", "dock", "in", version=1)


def test_what_is_known_already_is_no_news() -> None:
    catalogue = Catalogue([NUT, BOLT])
    assert catalogue.news([NUT, BOLT, SHELF, SHELF]) == [SHELF]


def test_lower_version_that_comes_later_is_ignored() -> None:
    catalogue = Catalogue([BOLT])
    assert catalogue.news([Item("BOLT", unit_mg=8000, version=2)]) == []
    newer = Item("BOLT", unit_mg=8000, version=4)
    assert catalogue.news([newer, BOLT]) == [newer]


def test_file_does_not_overrule_the_core() -> None:
    catalogue = Catalogue([BOLT])
    assert catalogue.of_files([Item("BOLT", unit_mg=1)]) == []
    changed = Item("NUT", unit_mg=6000)
    assert Catalogue([NUT]).of_files([changed]) == [changed]


def test_what_no_file_tells_any_more_goes_and_what_the_core_told_stays() -> None:
    catalogue = Catalogue([NUT, BOLT, SHELF, EXPECTED])
    assert catalogue.of_files([NUT]) == [ReferenceDeleted("location", "SHELF")]


def test_books_are_versioned_like_all_that_the_core_tells() -> None:
    book = BookStock("A", (BookLine("B", 5),), 3)
    catalogue = Catalogue([book])
    assert catalogue.news([book, BookStock("A", (BookLine("B", 4),), 2)]) == []
    newer = BookStock("A", (BookLine("B", 4),), 4)
    assert catalogue.news([newer, ReferenceDeleted("book", "A")]) == [
        newer,
        ReferenceDeleted("book", "A"),
    ]


def test_deletion_of_something_unknown_is_no_news() -> None:
    catalogue = Catalogue([NUT])
    gone = ReferenceDeleted("item", "NUT")
    assert catalogue.news([gone, gone, ReferenceDeleted("location", "NUT")]) == [gone]
    assert catalogue.news([NUT]) == [NUT]


def test_same_code_of_another_kind_is_another_fact() -> None:
    assert Catalogue([Item("X")]).news([Location("X")]) == [Location("X")]


ORDER = OrderReference("erp", "so", "4711", "10")
TASK = Task("T-1", "issue", ORDER, "NUT", 4, "A-1", version=2)


def test_task_is_amended_by_a_higher_version_and_not_by_a_lower() -> None:
    catalogue = Catalogue([TASK])
    amended = replace(TASK, quantity=6, version=3)
    assert catalogue.news([TASK, replace(TASK, quantity=9, version=1), amended, TASK]) == [amended]


def test_emptied_task_topic_takes_back_what_stood_there() -> None:
    gone = ReferenceDeleted("task", "T-1"), ReferenceDeleted("task", "ASN-1")
    catalogue = Catalogue([TASK, EXPECTED])
    assert catalogue.news([*gone, *gone]) == [gone[0], ReferenceDeleted("expected", "ASN-1")]
    assert catalogue.news([TASK, EXPECTED]) == [TASK, EXPECTED]


def test_task_in_the_place_of_an_expected_set_takes_that_back() -> None:
    catalogue = Catalogue([EXPECTED])
    task = replace(TASK, code=EXPECTED.code)
    assert catalogue.news([replace(task, version=0)]) == []
    assert catalogue.news([task]) == [ReferenceDeleted("expected", EXPECTED.code), task]
    assert catalogue.news([EXPECTED]) == []
    assert catalogue.of_files([]) == []
