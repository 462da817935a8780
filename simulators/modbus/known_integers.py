"""Known states of the families that send integers, typed by hand from the makers' pages."""

from simulators.modbus.expectation import (
    BELOW_ZERO_MOVING,
    BROKEN,
    EMPTY,
    HUNDRED_KILOGRAMS,
    ONE_KILOGRAM,
    OVERLOADED,
    PRESET_TARED,
    TARED,
    TARED_AND_EMPTY,
    UNDERLOADED,
    Expected,
    Known,
)
from simulators.modbus.scale import KILOGRAMS, Display, Flag, ScaleState

READS_0 = (Expected(0),)
READS_1000 = (Expected(1_000),)
READS_1500 = (Expected(1_500),)
READS_100000 = (Expected(100_000),)
READS_MOVING = (Expected(-250, Flag.MOTION),)
READS_OVERLOAD = (Expected(50_500, Flag.OVERLOAD),)
READS_UNDERLOAD = (Expected(-600, Flag.UNDERLOAD),)
READS_FAULT = (Expected(300, Flag.FAULT),)
READS_SATURATED = (Expected(300, Flag.OVERLOAD),)


def _laumas(
    title: str,
    scale: ScaleState,
    expected: tuple[Expected, ...],
    words: tuple[int, ...],
    display: Display = KILOGRAMS,
) -> Known:
    """Words from 6: status, gross, net, peak, division and unit."""
    return Known("laumas-tlb-w", title, (scale,), expected, {6: words}, display=display)


LAUMAS = (
    _laumas("empty", EMPTY, READS_0, (0x1800, 0, 0, 0, 0, 0, 0, 0x000F)),
    _laumas("1 kg", ONE_KILOGRAM, READS_1000, (0x0800, 0, 0x03E8, 0, 0x03E8, 0, 0, 0x000F)),
    _laumas(
        "beyond 65,535",
        HUNDRED_KILOGRAMS,
        READS_100000,
        (0x0800, 0x0001, 0x86A0, 0x0001, 0x86A0, 0, 0, 0x000F),
    ),
    _laumas(
        "below zero, moving",
        BELOW_ZERO_MOVING,
        READS_MOVING,
        (0x0180, 0, 0x00FA, 0, 0x00FA, 0, 0, 0x000F),
    ),
    _laumas("tared", TARED, READS_1500, (0x0C00, 0, 0x05DC, 0, 0x044C, 0, 0, 0x000F)),
    _laumas("tare lifted", TARED_AND_EMPTY, READS_0, (0x1D00, 0, 0, 0, 0x0190, 0, 0, 0x000F)),
    _laumas("overload", OVERLOADED, READS_OVERLOAD, (0x0804, 0, 0xC544, 0, 0xC544, 0, 0, 0x000F)),
    _laumas("broken cell", BROKEN, READS_FAULT, (0x0801, 0, 0x012C, 0, 0x012C, 0, 0, 0x000F)),
    _laumas(
        "more digits than it shows",
        ScaleState(1_000_000),
        (Expected(1_000_000, Flag.OVERLOAD),),
        (0x0830, 0x000F, 0x4240, 0x000F, 0x4240, 0, 0, 0x000F),
    ),
    _laumas(
        "in grams",
        ONE_KILOGRAM,
        READS_1000,
        (0x0800, 0, 0x03E8, 0, 0x03E8, 0, 0, 0x0106),
        Display("g", 0),
    ),
    _laumas(
        "interval 5 g",
        ScaleState(1_003),
        (Expected(1_005),),
        (0x0800, 0, 0x03ED, 0, 0x03ED, 0, 0, 0x000D),
        Display("kg", 3, 5),
    ),
    _laumas(
        "interval 0.2 g",
        ScaleState(123.4),
        (Expected(123.4),),
        (0x0800, 0, 0x04D2, 0, 0x04D2, 0, 0, 0x0011),
        Display("kg", 4, 2),
    ),
    _laumas(
        "in tonnes",
        ScaleState(12_000),
        (Expected(12_000),),
        (0x0800, 0, 0x000C, 0, 0x000C, 0, 0, 0x020F),
        Display("t", 3),
    ),
)


def _hbk(
    title: str,
    scale: ScaleState,
    expected: tuple[Expected, ...],
    words: tuple[int, ...],
    display: Display = KILOGRAMS,
) -> Known:
    """Words from 0: net, gross, status, mode with decimals and unit."""
    return Known("hbk-wtx120", title, (scale,), expected, {0: words}, display=display)


HBK = (
    _hbk("empty", EMPTY, READS_0, (0, 0, 0, 0, 0x0800, 0x0030)),
    _hbk("1 kg", ONE_KILOGRAM, READS_1000, (0, 0x03E8, 0, 0x03E8, 0, 0x0030)),
    _hbk(
        "beyond 65,535",
        HUNDRED_KILOGRAMS,
        READS_100000,
        (0x0001, 0x86A0, 0x0001, 0x86A0, 0, 0x0030),
    ),
    _hbk(
        "minus one",
        ScaleState(-1),
        (Expected(-1),),
        (0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0, 0x0030),
    ),
    _hbk(
        "below zero, moving",
        BELOW_ZERO_MOVING,
        READS_MOVING,
        (0xFFFF, 0xFF06, 0xFFFF, 0xFF06, 0x0010, 0x0030),
    ),
    _hbk("tared", TARED, READS_1500, (0, 0x044C, 0, 0x05DC, 0x0080, 0x0030)),
    _hbk("preset tare", PRESET_TARED, READS_1500, (0, 0x044C, 0, 0x05DC, 0x00C0, 0x0030)),
    _hbk("tare lifted", TARED_AND_EMPTY, READS_0, (0xFFFF, 0xFE70, 0, 0, 0x0880, 0x0030)),
    _hbk("overload", OVERLOADED, READS_OVERLOAD, (0, 0xC544, 0, 0xC544, 0x0008, 0x0030)),
    _hbk(
        "underload",
        UNDERLOADED,
        READS_UNDERLOAD,
        (0xFFFF, 0xFDA8, 0xFFFF, 0xFDA8, 0x0004, 0x0030),
    ),
    _hbk("weight error", BROKEN, READS_FAULT, (0, 0x012C, 0, 0x012C, 0x0001, 0x0030)),
    _hbk(
        "in grams, interval 0.5 g",
        ScaleState(123.4),
        (Expected(123.5),),
        (0, 0x04D3, 0, 0x04D3, 0, 0x0090),
        Display("g", 1, 5),
    ),
)


def _dgt4x(
    title: str,
    scale: ScaleState,
    expected: tuple[Expected, ...],
    words: tuple[int, ...],
    display: Display = KILOGRAMS,
) -> Known:
    """Words from input 0: gross, net, status."""
    return Known("dini-dgt4x-input", title, (scale,), expected, input={0: words}, display=display)


DINI_DGT4X = (
    _dgt4x("empty", EMPTY, READS_0, (0, 0, 0, 0, 0x0084)),
    _dgt4x("1 kg", ONE_KILOGRAM, READS_1000, (0, 0x03E8, 0, 0x03E8, 0x0004)),
    _dgt4x(
        "the manual's 350000",
        ScaleState(350_000),
        (Expected(350_000),),
        (0x0005, 0x5730, 0x0005, 0x5730, 0x0004),
    ),
    _dgt4x("below zero, moving", BELOW_ZERO_MOVING, READS_MOVING, (0, 0x00FA, 0, 0x00FA, 0x0003)),
    _dgt4x("tared", TARED, READS_1500, (0, 0x05DC, 0, 0x044C, 0x0024)),
    _dgt4x("preset tare", PRESET_TARED, READS_1500, (0, 0x05DC, 0, 0x044C, 0x0064)),
    _dgt4x("tare lifted", TARED_AND_EMPTY, READS_0, (0, 0, 0, 0x0190, 0x00A5)),
    _dgt4x("overload", OVERLOADED, READS_OVERLOAD, (0, 0xC544, 0, 0xC544, 0x0014)),
    _dgt4x("underload", UNDERLOADED, READS_UNDERLOAD, (0, 0x0258, 0, 0x0258, 0x000F)),
    _dgt4x("broken cell", BROKEN, READS_SATURATED, (0, 0x012C, 0, 0x012C, 0x0014)),
    _dgt4x(
        "two decimals",
        ScaleState(3_010),
        (Expected(3_010),),
        (0, 0x012D, 0, 0x012D, 0x0004),
        Display("kg", 2),
    ),
)

DINI_MULTISCALE = (
    Known(
        "dini-dgt4x-multiscale",
        "four scales",
        (ONE_KILOGRAM, BELOW_ZERO_MOVING, OVERLOADED, TARED),
        READS_1000 + READS_MOVING + READS_OVERLOAD + READS_1500,
        {
            201: (0x0002, 0, 0x03E8, 0x0021, 0, 0x00FA, 0x000A, 0, 0xC544, 0x0042, 0, 0x05DC),
            213: (0, 0x03E8, 0, 0x00FA, 0, 0xC544, 0, 0x044C),
        },
    ),
    Known(
        "dini-dgt4x-multiscale",
        "four other scales",
        (EMPTY, UNDERLOADED, BROKEN, PRESET_TARED),
        READS_0 + READS_UNDERLOAD + READS_SATURATED + READS_1500,
        {
            201: (0x0012, 0, 0, 0x0027, 0, 0x0258, 0x000A, 0, 0x012C, 0x00C2, 0, 0x05DC),
            213: (0, 0, 0, 0x0258, 0, 0x012C, 0, 0x044C),
        },
    ),
    Known(
        "dini-dgt4x-multiscale",
        "one scale fitted",
        (HUNDRED_KILOGRAMS,),
        READS_100000,
        {201: (0x0002, 0x0001, 0x86A0), 213: (0x0001, 0x86A0)},
    ),
)


def _dgt1s(
    title: str, scale: ScaleState, expected: tuple[Expected, ...], words: tuple[int, ...]
) -> Known:
    """Words from 100: gross, net, tare, status."""
    return Known("dini-dgt1s", title, (scale,), expected, {100: words})


DINI_DGT1S = (
    _dgt1s("empty", EMPTY, READS_0, (0, 0, 0, 0, 0, 0, 0x0084)),
    _dgt1s("1 kg", ONE_KILOGRAM, READS_1000, (0, 0x03E8, 0, 0x03E8, 0, 0, 0x0004)),
    _dgt1s(
        "the manual's 350000",
        ScaleState(350_000),
        (Expected(350_000),),
        (0x0005, 0x5730, 0x0005, 0x5730, 0, 0, 0x0004),
    ),
    _dgt1s(
        "below zero, moving", BELOW_ZERO_MOVING, READS_MOVING, (0, 0x00FA, 0, 0x00FA, 0, 0, 0x0003)
    ),
    _dgt1s("tared", TARED, READS_1500, (0, 0x05DC, 0, 0x044C, 0, 0x0190, 0x0024)),
    _dgt1s("tare lifted", TARED_AND_EMPTY, READS_0, (0, 0, 0, 0x0190, 0, 0x0190, 0x00A5)),
    _dgt1s("overload", OVERLOADED, READS_OVERLOAD, (0, 0xC544, 0, 0xC544, 0, 0, 0x0014)),
    _dgt1s("underload", UNDERLOADED, READS_UNDERLOAD, (0, 0x0258, 0, 0x0258, 0, 0, 0x000F)),
)


def _baykon(
    title: str, scale: ScaleState, expected: tuple[Expected, ...], words: tuple[int, ...]
) -> Known:
    """Words from 0: displayed weight, status, tare, gross."""
    return Known("baykon-mx08-pt113", title, (scale,), expected, {0: words})


BAYKON = (
    _baykon("empty", EMPTY, READS_0, (0, 0, 0x1002, 0, 0, 0, 0)),
    _baykon("1 kg", ONE_KILOGRAM, READS_1000, (0, 0x03E8, 0x0002, 0, 0, 0, 0x03E8)),
    _baykon(
        "beyond 65,535",
        HUNDRED_KILOGRAMS,
        READS_100000,
        (0x0001, 0x86A0, 0x0002, 0, 0, 0x0001, 0x86A0),
    ),
    _baykon(
        "below zero, moving",
        BELOW_ZERO_MOVING,
        READS_MOVING,
        (0xFFFF, 0xFF06, 0x0006, 0, 0, 0xFFFF, 0xFF06),
    ),
    _baykon("tared", TARED, READS_1500, (0, 0x044C, 0x000A, 0, 0x0190, 0, 0x05DC)),
    _baykon("tare lifted", TARED_AND_EMPTY, READS_0, (0xFFFF, 0xFE70, 0x100A, 0, 0x0190, 0, 0)),
    _baykon("overload", OVERLOADED, READS_OVERLOAD, (0, 0xC544, 0x4000, 0, 0, 0, 0xC544)),
    _baykon(
        "underload",
        UNDERLOADED,
        READS_UNDERLOAD,
        (0xFFFF, 0xFDA8, 0x6000, 0, 0, 0xFFFF, 0xFDA8),
    ),
    _baykon("converter fault", BROKEN, READS_FAULT, (0, 0x012C, 0x2000, 0, 0, 0, 0x012C)),
)

INTEGER_STATES = LAUMAS + HBK + DINI_DGT4X + DINI_MULTISCALE + DINI_DGT1S + BAYKON
