"""The families that can be simulated, by the name of their register map."""

from collections.abc import Callable

from simulators.modbus.baykon import BaykonPt113
from simulators.modbus.dini import DiniDgt1s, DiniDgt4xInput, DiniDgt4xMultiscale
from simulators.modbus.hbk import HbkWtx120
from simulators.modbus.laumas import LaumasTlb
from simulators.modbus.mettler import MettlerSmartCell
from simulators.modbus.scale import Display, Family
from simulators.modbus.siwarex import SiwarexWp251, SiwarexWp351
from simulators.modbus.tuna import TunaId551

FAMILIES: dict[str, Callable[[Display], Family]] = {
    LaumasTlb.name: LaumasTlb,
    HbkWtx120.name: HbkWtx120,
    SiwarexWp251.name: SiwarexWp251,
    SiwarexWp351.name: SiwarexWp351,
    DiniDgt4xInput.name: DiniDgt4xInput,
    DiniDgt4xMultiscale.name: DiniDgt4xMultiscale,
    DiniDgt1s.name: DiniDgt1s,
    BaykonPt113.name: BaykonPt113,
    MettlerSmartCell.name: MettlerSmartCell,
    TunaId551.name: TunaId551,
}
