"""The demo's warehouse: what its antennas hear of what is carried through the gate."""

from random import Random

from simulators.world.beam import BEAM_DEG, BEAM_FLOOR_DB, beam_db
from simulators.world.layout import CARTON, GATE_READER, MASTS, SHELF_READER
from simulators.world.world import World

GATE_MASTS = [mast for mast in MASTS if mast.reader == GATE_READER]


def test_antenna_hears_less_the_further_a_place_lies_from_where_it_faces() -> None:
    ahead, half, beside, behind = (
        beam_db(90.0, *place) for place in ((0, 1), (1, 1), (1, 0), (0, -1))
    )
    assert ahead == 0.0
    assert half == -12.0 * (45.0 / BEAM_DEG) ** 2
    assert ahead > half > beside > behind == BEAM_FLOOR_DB
    assert beam_db(-170.0, -1.0, 0.0) == beam_db(190.0, -1.0, 0.0)


def test_antennas_of_a_gate_hear_their_own_side_better() -> None:
    for mast in GATE_MASTS:
        assert mast.facing_deg is not None
        own, other = (
            beam_db(mast.facing_deg, x_m - mast.x_m, -mast.y_m)
            for x_m in (2.5 * mast.x_m, -2.5 * mast.x_m)
        )
        assert own - other > 5.0


def test_who_walks_beside_a_carton_hides_it_from_one_side_of_the_gate_only() -> None:
    world = World(Random(1), lambda: 0.0)
    carton = world.make(CARTON)
    by_side = {mast.y_m: world.shadow(carton, mast) for mast in GATE_MASTS}
    assert len(set(by_side.values())) == 2
    for mast in GATE_MASTS:
        assert world.shadow(carton, mast) is by_side[mast.y_m]


def test_who_stands_before_a_shelf_stands_before_all_its_antennas() -> None:
    world = World(Random(1), lambda: 0.0)
    piece = world.stock("A-3")[0]
    masts = [mast for mast in MASTS if mast.reader == SHELF_READER]
    assert len({world.shadow(piece, mast) for mast in masts}) == 1
