from dataclasses import replace

from gateway.catalogue import REFUSED_MAX, Catalogue
from gateway.model import (
    BookLine,
    BookLot,
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
    assert catalogue.of_files([Item("BOLT", unit_mg=1)])[0] == []
    changed = Item("NUT", unit_mg=6000)
    assert Catalogue([NUT]).of_files([changed])[0] == [changed]


def test_what_no_file_tells_any_more_goes_and_what_the_core_told_stays() -> None:
    catalogue = Catalogue([NUT, BOLT, SHELF, EXPECTED])
    assert catalogue.of_files([NUT])[0] == [ReferenceDeleted("location", "SHELF")]


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
    assert catalogue.of_files([])[0] == []


BOXES = Item("NUT", uoms=(("BOX", "12"),), version=1)
BY_BOX = replace(TASK, item="NUT", quantity=0, amount="2", uom="BOX")


def test_task_in_another_unit_waits_for_its_item() -> None:
    catalogue = Catalogue([])
    changes, refused = catalogue.judged([BY_BOX])
    assert changes == []
    assert [(each.fact, each.reason) for each in refused] == [
        (BY_BOX, "uom: 'BOX' cannot be converted before its item is told")
    ]
    assert catalogue.judged([BOXES]) == ([BOXES, replace(BY_BOX, quantity=24)], [])
    assert catalogue.news([BY_BOX]) == []


def test_item_that_is_told_in_the_same_breath_is_enough() -> None:
    changes, refused = Catalogue([]).judged([BY_BOX, BOXES])
    assert changes == [BOXES, replace(BY_BOX, quantity=24)]
    assert refused == []


def test_other_content_of_a_box_is_another_quantity() -> None:
    catalogue = Catalogue([BOXES, replace(BY_BOX, quantity=24)])
    smaller = replace(BOXES, uoms=(("BOX", "10"),), version=2)
    assert catalogue.news([smaller]) == [smaller, replace(BY_BOX, quantity=20)]


def test_task_that_cannot_be_converted_leaves_what_was_known() -> None:
    catalogue = Catalogue([BOXES])
    assert catalogue.news([BY_BOX]) == [replace(BY_BOX, quantity=24)]
    wrong = replace(BY_BOX, amount="0.3", version=BY_BOX.version + 1)
    changes, refused = catalogue.judged([wrong])
    assert (changes, refused[0].reason) == ([], "quantity: 0.3 BOX is no whole number of pcs")
    assert catalogue.news([BY_BOX]) == []
    mended = replace(wrong, amount="0.5", version=BY_BOX.version + 2)
    assert catalogue.news([mended]) == [replace(mended, quantity=6)]


def test_task_of_bulk_goods_without_a_unit_is_in_that_of_the_item() -> None:
    salt = Item("SALT", uom="kg")
    plain = replace(TASK, item="SALT", quantity=3)
    catalogue = Catalogue([])
    assert catalogue.news([plain]) == [plain]
    assert catalogue.news([salt]) == [salt, replace(plain, quantity=3000, amount="3")]
    assert catalogue.news([plain]) == []


def test_book_in_boxes_is_compared_in_pieces() -> None:
    told = BookStock("A", (BookLine("NUT", 2, "BOX", 1, 3, (BookLot("L1", 2),)),), 1)
    catalogue = Catalogue([BOXES])
    line = BookLine("NUT", 24, "pcs", 12, 36, (BookLot("L1", 24),))
    assert catalogue.news([told]) == [BookStock("A", (line,), 1)]
    wrong = BookStock("A", (BookLine("NUT", 2, "CASE"),), 2)
    assert catalogue.judged([wrong])[1][0].reason == "uom: 'CASE' is no unit of 'NUT'; pcs, BOX are"


def test_locations_come_in_any_order_and_none_lies_in_itself() -> None:
    leaf, branch = Location("A-1", parent="A", version=1), Location("A", parent="H", version=1)
    root = Location("H", version=1)
    catalogue = Catalogue([])
    changes, refused = catalogue.judged([leaf])
    assert (changes, refused[0].reason) == ([], "parent: no location 'A' is known")
    assert catalogue.judged([branch])[0] == []
    assert catalogue.judged([root]) == ([root, branch, leaf], [])
    circle = replace(root, parent="A-1", version=2)
    changes, refused = catalogue.judged([circle])
    assert changes == []
    assert refused[0].reason == "parent: 'H' cannot lie in itself (H in A-1 in A in H)"


def test_what_is_taken_back_waits_no_more() -> None:
    catalogue = Catalogue([])
    catalogue.news([BY_BOX, ReferenceDeleted("task", BY_BOX.code)])
    assert catalogue.news([BOXES]) == [BOXES]


def test_no_more_facts_wait_than_a_bound() -> None:
    catalogue = Catalogue([])
    told = [replace(BY_BOX, code=f"T-{n}") for n in range(REFUSED_MAX + 2)]
    catalogue.news(told)
    assert len(catalogue.news([BOXES])) == 1 + REFUSED_MAX
