from gateway.catalogue import Catalogue
from gateway.model import BookLine, BookStock, ExpectedSet, Item, Location, ReferenceDeleted

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
