"""Numbers of rows that are written over."""

from rules.slots import Slots


def test_lowest_free_number_is_given_and_kept() -> None:
    slots = Slots()
    assert [slots.take(subject) for subject in ("a", "b", "a", "c")] == [0, 1, 0, 2]
    assert (slots.release("b"), slots.release("a"), slots.release("a")) == (1, 0, None)
    assert [slots.take(subject) for subject in ("d", "e", "f")] == [0, 1, 3]


def test_numbers_of_an_earlier_run_are_taken_or_free() -> None:
    slots = Slots()
    slots.restore(3, "a")
    slots.restore(1)
    slots.restore(0, "b")
    assert [slots.take(subject) for subject in ("a", "b", "c", "d", "e")] == [3, 0, 1, 2, 4]
