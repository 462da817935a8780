"""Device profiles: what a weight transmitter's registers mean, as data.

A profile is one TOML file. Register numbers stand as the maker's document counts them;
`address_base` is the number that the document gives to the first register (0 or 1), so the
address on the wire is the number minus `address_base`. What a document leaves open is named in
`assumed`; the start-up self-test then decides, or refuses the unit.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

Register: TypeAlias = Annotated[int, Field(ge=0, le=65536)]
Word: TypeAlias = Annotated[int, Field(ge=0, le=0xFFFF)]
Bit: TypeAlias = Annotated[int, Field(ge=0, le=15)]
BitRange: TypeAlias = tuple[Bit, Bit]
Endian: TypeAlias = Literal["big", "little"]
WeightUnit: TypeAlias = Literal["kg", "g", "t", "lb", "N"]
FlagName: TypeAlias = Literal["MOTION", "UNDERLOAD", "OVERLOAD", "FAULT"]
CommandName: TypeAlias = Literal["tare", "zero"]

READ_REGISTERS_MAX = 125
"""Modbus Application Protocol 1.1b3, 6.3: registers in one read."""

GRAMS: dict[WeightUnit, float] = {
    "kg": 1000.0,
    "g": 1.0,
    "t": 1_000_000.0,
    "lb": 453.59237,
    "N": 1000.0 / 9.80665,
}
"""Grams per unit; a newton by standard gravity, as transmitters convert it."""


class Part(BaseModel):
    """Base of all parts of a profile: frozen, unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Block(Part):
    """The one read that brings every register of a poll, so that no value is torn."""

    function: Literal[3, 4]
    start: Register
    count: Annotated[int, Field(ge=1, le=READ_REGISTERS_MAX)]


class Value(Part):
    """How a weight lies in its registers. `sign`: in the value itself, or in status bits."""

    type: Literal["u16", "s16", "u32", "s32", "f32"]
    word_order: Endian = "big"
    byte_order: Endian = "big"
    gross_negative_bit: Bit | None = None
    net_negative_bit: Bit | None = None

    @property
    def words(self) -> int:
        """Registers that one value takes."""
        return 1 if self.type.endswith("16") else 2

    @model_validator(mode="after")
    def _one_sign(self) -> Value:
        if self.type[0] != "u" and self.gross_negative_bit is not None:
            raise ValueError("a signed value takes no sign from status bits")
        return self


class Code(Part):
    """A number that lies in some bits of a register (first bit, last bit; bit 0 is lowest)."""

    number: Register = Field(alias="register")
    bits: BitRange = (0, 15)

    def of(self, word: int) -> int:
        """Cut the number out of the register's word."""
        low, high = self.bits
        return word >> low & (1 << high - low + 1) - 1


class Decimals(Part):
    """Where the decimal point comes from.

    `code`: a field of the block, looked up in `table` (keys "7" or "7-9"), or the number itself
    when there is no table; `setting`: the installer tells; `none`: the value has its own.
    """

    source: Literal["code", "setting", "none"]
    code: Code | None = None
    table: dict[str, Annotated[int, Field(ge=0, le=6)]] = {}


class Unit(Part):
    """Where the weight's unit comes from: a code in the block, or the installer's setting."""

    source: Literal["code", "setting"]
    code: Code | None = None
    table: dict[str, WeightUnit] = {}


class CellMap(Part):
    """The registers of one weighing cell (or scale). `display` shows net in net mode."""

    gross: Register | None = None
    net: Register | None = None
    tare: Register | None = None
    display: Register | None = None
    status: Register | None = None
    faults: Register | None = None
    command: Register | None = None

    @model_validator(mode="after")
    def _gross_known(self) -> CellMap:
        if self.gross is None and (self.net is None or self.tare is None):
            raise ValueError("a cell needs `gross`, or `net` and `tare` to add up")
        return self


class FlagRule(Part):
    """When a field of a status register has one of these values, the cell has that flag.

    `unless_told`: only if no rule before has told why the weight is not to be used.
    """

    of: Literal["status", "faults"] = "status"
    bits: BitRange
    values: tuple[Word, ...] = ()
    nonzero: bool = False
    unless_told: bool = False
    flag: FlagName


class Handshake(Part):
    """The device answers a written bit with `done`, and says with `ok` whether it obeyed."""

    done: Code
    ok: Code


class Confirmation(Part):
    """A counter of processed commands: it must change after the write."""

    function: Literal[3, 4]
    counter: Code


class Command(Part):
    """One act. `first` is written before (so that a repeat, or an edge, is seen), `last` after.

    Without `register` it goes to the cell's own `command` register.
    """

    number: Register | None = Field(default=None, alias="register")
    value: Word
    first: Word | None = None
    last: Word | None = None
    handshake: Handshake | None = None
    confirmation: Confirmation | None = None


class NeverSend(Part):
    """What may never be written: these values, any of these bits, or (without both) anything."""

    number: Register = Field(alias="register")
    values: tuple[Word, ...] = ()
    mask: Word = 0
    reason: str

    def forbids(self, register: int, value: int) -> bool:
        """Whether writing that value to that register is forbidden."""
        if register != self.number:
            return False
        return value in self.values or bool(value & self.mask) or not (self.values or self.mask)


class Profile(Part):
    """One register map. Grade A: maker's page or code read; B: third-party driver; own: yours."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    models: tuple[str, ...]
    grade: Literal["A", "B", "own"]
    grade_note: str = ""
    sources: tuple[str, ...]
    assumed: tuple[str, ...] = ()
    order_assumed: bool = False
    address_base: Literal[0, 1] = 0
    block: Block
    value: Value
    decimals: Decimals
    unit: Unit
    cells: Annotated[tuple[CellMap, ...], Field(min_length=1)]
    net_mode_bit: Bit | None = None
    refresh_counter: Register | None = None
    flags: tuple[FlagRule, ...] = ()
    commands: dict[CommandName, Command] = {}
    never_send: tuple[NeverSend, ...] = ()

    def forbidden(self, register: int, value: int) -> str | None:
        """Return why that write is forbidden, or None. Only commands' registers may be written."""
        for rule in self.never_send:
            if rule.forbids(register, value):
                return rule.reason
        if register not in self._command_registers():
            return "no command of the profile writes there"
        return None

    def _command_registers(self) -> set[int]:
        cells = {cell.command for cell in self.cells if cell.command is not None}
        fixed = {c.number for c in self.commands.values() if c.number is not None}
        return cells | fixed

    @model_validator(mode="after")
    def _codes_named(self) -> Profile:
        for name, part in (("decimals", self.decimals), ("unit", self.unit)):
            if (part.source == "code") != (part.code is not None):
                raise ValueError(f"{name}: `code` goes with source = 'code', and only with it")
        if self.value.type == "f32" and self.decimals.source != "none":
            raise ValueError("decimals: a float has its own decimal point, source = 'none'")
        return self

    @model_validator(mode="after")
    def _registers_in_block(self) -> Profile:
        first, last = self.block.start, self.block.start + self.block.count - 1
        if first < self.address_base:
            raise ValueError(f"block: starts below the first register, {self.address_base}")
        for register in self._registers_read():
            if not first <= register <= last:
                raise ValueError(f"register {register} is outside the block {first}..{last}")
        return self

    @model_validator(mode="after")
    def _commands_allowed(self) -> Profile:
        for name, command in self.commands.items():
            registers = (
                [cell.command for cell in self.cells]
                if command.number is None
                else [command.number]
            )
            for register in registers:
                if register is None:
                    raise ValueError(f"commands.{name}: no register, and a cell has none either")
                for value in (command.first, command.value, command.last):
                    reason = value is not None and self.forbidden(register, value)
                    if reason:
                        raise ValueError(f"commands.{name}: never to be sent: {reason}")
        return self

    def _registers_read(self) -> list[int]:
        tail = self.value.words - 1
        registers: list[int] = []
        for cell in self.cells:
            for start in (cell.gross, cell.net, cell.tare, cell.display):
                if start is not None:
                    registers += [start, start + tail]
            registers += [word for word in (cell.status, cell.faults) if word is not None]
        registers += [part.code.number for part in (self.decimals, self.unit) if part.code]
        if self.refresh_counter is not None:
            registers.append(self.refresh_counter)
        return registers
