"""Known states of the families that send floats, typed by hand from the makers' pages.

Kilograms as IEEE 754 singles: -0.75 BF400000, -0.25 BE800000, 0.25 3E800000, 1.0 3F800000,
1.234 3F9DF3B6, 1.2344 3F9E00D2, 1.25 3FA00000, 1.5 3FC00000, 60 42700000, no number 7FC00000.
"""

from simulators.modbus.expectation import BELOW_ZERO_MOVING, EMPTY, Expected, Known
from simulators.modbus.scale import Flag, ScaleState

LOADED = ScaleState(1_500)
TARED = ScaleState(1_500, tare_g=250)
PRESET_TARED = ScaleState(1_500, tare_g=250, preset_tare=True)
BETWEEN_DIVISIONS = ScaleState(1_234.4)
OVERLOADED = ScaleState(60_000, overload=True)
UNDERLOADED = ScaleState(-750, underload=True)
BROKEN = ScaleState(1_000, fault=True)
NO_NUMBER = ScaleState(1_000, not_a_number=True)

READS_0 = (Expected(0),)
READS_1500 = (Expected(1_500),)
READS_MOVING = (Expected(-250, Flag.MOTION),)
READS_NOTHING = (Expected(None, Flag.FAULT),)


def _wp251(
    title: str, scale: ScaleState, expected: tuple[Expected, ...], words: tuple[int, ...]
) -> Known:
    """Words from 3003, which the manual calls 3004: status, then gross, net, tare, rounded."""
    status, *weights = words
    return Known(
        "siwarex-wp251", title, (scale,), expected, {3003: (status, 0, 0, 0), 3007: tuple(weights)}
    )


SIWAREX_WP251 = (
    _wp251("empty", EMPTY, READS_0, (0x0041, 0, 0, 0, 0, 0, 0, 0, 0)),
    _wp251("1.5 kg", LOADED, READS_1500, (0x0040, 0x3FC0, 0, 0x3FC0, 0, 0, 0, 0x3FC0, 0)),
    _wp251(
        "between divisions",
        BETWEEN_DIVISIONS,
        (Expected(1_234.4),),
        (0x0040, 0x3F9E, 0x00D2, 0x3F9E, 0x00D2, 0, 0, 0x3F9D, 0xF3B6),
    ),
    _wp251("tared", TARED, READS_1500, (0x0044, 0x3FC0, 0, 0x3FA0, 0, 0x3E80, 0, 0x3FA0, 0)),
    _wp251(
        "preset tare",
        PRESET_TARED,
        READS_1500,
        (0x004C, 0x3FC0, 0, 0x3FA0, 0, 0x3E80, 0, 0x3FA0, 0),
    ),
    _wp251(
        "below zero, moving",
        BELOW_ZERO_MOVING,
        READS_MOVING,
        (0x0000, 0xBE80, 0, 0xBE80, 0, 0, 0, 0xBE80, 0),
    ),
    _wp251(
        "out of range",
        OVERLOADED,
        (Expected(60_000, Flag.OVERLOAD),),
        (0x0042, 0x4270, 0, 0x4270, 0, 0, 0, 0x4270, 0),
    ),
    _wp251("no number", NO_NUMBER, READS_NOTHING, (0x0040, 0x7FC0, 0, 0x7FC0, 0, 0, 0, 0x7FC0, 0)),
)


def _wp351(
    title: str, scale: ScaleState, expected: tuple[Expected, ...], words: tuple[int, ...]
) -> Known:
    """Words from 2999, which the manual calls 3000: status, faults, then gross, net, tare."""
    status, faults, *weights = words
    return Known(
        "siwarex-wp351",
        title,
        (scale,),
        expected,
        {2999: (status, faults, 0, 0, 0, 0), 3005: tuple(weights)},
    )


SIWAREX_WP351 = (
    _wp351("empty", EMPTY, READS_0, (0x0040, 0, 0, 0, 0, 0, 0, 0)),
    _wp351("1.5 kg", LOADED, READS_1500, (0x0040, 0, 0x3FC0, 0, 0x3FC0, 0, 0, 0)),
    _wp351("tared", TARED, READS_1500, (0x0040, 0, 0x3FC0, 0, 0x3FA0, 0, 0x3E80, 0)),
    _wp351(
        "below zero, moving",
        BELOW_ZERO_MOVING,
        READS_MOVING,
        (0x0000, 0, 0xBE80, 0, 0xBE80, 0, 0, 0),
    ),
    _wp351(
        "overload shows in the fault word",
        OVERLOADED,
        (Expected(60_000, Flag.FAULT),),
        (0x0040, 0x0001, 0x4270, 0, 0x4270, 0, 0, 0),
    ),
    _wp351(
        "fault",
        BROKEN,
        (Expected(1_000, Flag.FAULT),),
        (0x0040, 0x0001, 0x3F80, 0, 0x3F80, 0, 0, 0),
    ),
    _wp351("no number", NO_NUMBER, READS_NOTHING, (0x0040, 0, 0x7FC0, 0, 0x7FC0, 0, 0, 0)),
)


def _mettler(
    title: str, scale: ScaleState, expected: tuple[Expected, ...], words: tuple[int, ...]
) -> Known:
    """Words from 1000: tare, net, status of unknown layout."""
    return Known("mt-smart-cell", title, (scale,), expected, {1000: words})


METTLER = (
    _mettler("empty", EMPTY, READS_0, (0, 0, 0, 0, 0)),
    _mettler("1.5 kg", LOADED, READS_1500, (0, 0, 0x3FC0, 0, 0)),
    _mettler("tared: gross is the sum", TARED, READS_1500, (0x3E80, 0, 0x3FA0, 0, 0)),
    _mettler(
        "below zero; motion cannot be seen",
        BELOW_ZERO_MOVING,
        (Expected(-250),),
        (0, 0, 0xBE80, 0, 0),
    ),
    _mettler("broken cell", BROKEN, READS_NOTHING, (0, 0, 0x7FC0, 0, 0)),
    _mettler("no number", NO_NUMBER, READS_NOTHING, (0, 0, 0x7FC0, 0, 0)),
)

TUNA = (
    Known(
        "tuna-id551",
        "four scales",
        (LOADED, TARED, BELOW_ZERO_MOVING, OVERLOADED),
        READS_1500 + READS_1500 + READS_MOVING + (Expected(60_000, Flag.OVERLOAD),),
        {
            0: (0x3FC0, 0, 0x3FC0, 0, 0xA000, 0),
            10: (0x3FA0, 0, 0x3FC0, 0, 0xA800, 0),
            20: (0xBE80, 0, 0xBE80, 0, 0xB000, 0),
            30: (0x4270, 0, 0x4270, 0, 0xA400, 0),
        },
    ),
    Known(
        "tuna-id551",
        "four other scales",
        (EMPTY, UNDERLOADED, BROKEN, NO_NUMBER),
        (
            *READS_0,
            Expected(-750, Flag.UNDERLOAD),
            Expected(1_000, Flag.FAULT),
            *READS_NOTHING,
        ),
        {
            0: (0, 0, 0, 0, 0xA100, 0),
            10: (0xBF40, 0, 0xBF40, 0, 0xA200, 0),
            20: (0x3F80, 0, 0x3F80, 0, 0x2000, 0),
            30: (0x7FC0, 0, 0x7FC0, 0, 0xA000, 0),
        },
    ),
)

FLOAT_STATES = SIWAREX_WP251 + SIWAREX_WP351 + METTLER + TUNA
