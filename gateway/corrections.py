"""`That was wrong`: a person takes a movement back, and it is remembered for tuning.

The ledger says whether the movement is known and was taken back before; the movement rule makes the
reversal. A label is kept beside it in the same transaction: the movement, the raw readings that it
was decided on, and what the person said.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gateway.assembly import Gateway
from gateway.finding import Body, NotFoundError, body_of, find
from gateway.model import OrderReference, ToldWrong
from gateway.outcome import Outcome
from gateway.ports import JsonValue, Row
from gateway.store import StoreReader
from gateway.store.booking import utc
from gateway.store.search import SEARCHED_MAX
from gateway.uplink.commands import CommandError
from gateway.uplink.messages import Request, bounded_text_of, key_of

LABEL_ROWS = "label"
"""Stands where a rule's name stands in the store: these rows are nobody else's."""

LABELS_MAX = 1_000
"""Labels kept, some 3 MB: more mistakes than anybody tunes by. Of more, the oldest go."""

NAME_MAX, NOTE_MAX = 512, 250
"""As the contract says."""


class _Known(NamedTuple):
    """What the ledger says of a record that is called wrong. `epcs` are the pieces as known by now,
    `back` the movement that took it back and `request` who asked for that.
    """

    body: Body
    evidence: JsonValue
    epcs: tuple[str, ...]
    back: Body | None
    request: str | None
    searched: bool


class Corrections:
    """Takes movements back. `labels` are the keys of the label rows, oldest first."""

    def __init__(self, gateway: Gateway, labels: Sequence[str]) -> None:
        self._gateway = gateway
        self._labels = list(labels)
        self._correcting = asyncio.Lock()

    async def wrong(self, request: Request) -> Mapping[str, JsonValue]:
        """Take one movement back, once: asked again by the same request, the answer is the same."""
        called = bounded_text_of(request.args, "movement", NAME_MAX)
        actor = key_of(request.args, "actor")
        note = ""
        if "note" in request.args:
            note = bounded_text_of(request.args, "note", NOTE_MAX)
        async with self._correcting:
            return await self._take_back(request.id, called, actor, note)

    async def _take_back(
        self, request_id: str, called: str, actor: str, note: str
    ) -> Mapping[str, JsonValue]:
        store = self._gateway.store
        try:
            known = await store.read_apart(lambda reader: _look(reader, called))
        except NotFoundError as error:
            raise CommandError(str(error)) from error
        if known.back is None:
            self._refuse(called, known)
            label = _label(known, actor, note, self._now())
            label["request"] = request_id
            told = _told_wrong(known, actor, note)
            await self._gateway.pipeline.feed([told], [self._keep(told.movement_id, label)])
            known = await store.read_apart(lambda reader: _look(reader, called))
        elif known.request != request_id:
            number = known.back["document_no"]
            raise CommandError(f"{called} was taken back already, by {number}")
        assert known.back is not None, "the movement rule makes it"
        return {
            "movement_id": known.body["movement_id"],
            "document_no": known.body["document_no"],
            "reversed_by": {
                name: known.back[name] for name in ("movement_id", "document_no", "seq")
            },
        }

    def _refuse(self, called: str, known: _Known) -> None:
        """CommandError if the record cannot be taken back."""
        if known.body["event"] != "movement":
            raise CommandError(f"{called} is a record of kind {known.body['event']}, no movement")
        if not known.searched:
            raise CommandError(
                f"{called} is older than the newest {SEARCHED_MAX} records, so that it is not known"
                " whether it was taken back: correct it in the core"
            )
        if not self._gateway.engine.takes(ToldWrong):
            raise CommandError("no rule that runs takes movements back")

    def _keep(self, movement_id: str, label: dict[str, JsonValue]) -> Outcome:
        """Keep the label; the keys of labels grow, so that their order is that of the store."""
        number = int(self._labels[-1].partition(":")[0]) + 1 if self._labels else 1
        row = Row(f"{number:012d}:{movement_id}", label)
        surplus = len(self._labels) - LABELS_MAX + 1
        gone, self._labels = self._labels[: max(0, surplus)], self._labels[max(0, surplus) :]
        self._labels.append(row.key)
        return Outcome(
            self._gateway.clock.now(),
            puts=((LABEL_ROWS, 1, row),),
            deletes=tuple((LABEL_ROWS, key) for key in gone),
        )

    def _now(self) -> str:
        return utc(self._gateway.wall.wall(self._gateway.clock.now())[0])


def labels(reader: StoreReader) -> list[str]:
    """The keys of the label rows, oldest first."""
    return [each.row.key for each in reader.state_rows(LABEL_ROWS)]


def exported_labels(reader: StoreReader) -> list[Mapping[str, JsonValue]]:
    """All that people called wrong, oldest first: `movement` is the record, `readings` the raw ones
    that it was decided on, as far as they were still kept.
    """
    return [
        {name: value for name, value in each.row.value.items() if name != "request"}
        for each in reader.state_rows(LABEL_ROWS)
    ]


def _look(reader: StoreReader, called: str) -> _Known:
    row = find(reader, called)
    body, seq = body_of(row), row.record.seq
    evidence, searched = reader.evidence(seq, row.epoch), reader.is_searched(seq, row.epoch)
    movement_id, epcs = body.get("movement_id"), tuple(body.get("epcs", ()))
    back = request = None
    if movement_id is not None:
        named = [
            body_of(each)
            for each in reader.rows_naming(movement_id, since_seq=seq, epoch=row.epoch)
        ]
        back = next((each for each in named if each.get("reverses") == movement_id), None)
        better = [each for each in named if each.get("amends_movement") == movement_id]
        amended = [each["epcs"] for each in better if "epcs" in each]
        epcs = tuple(amended[-1]) if amended else epcs
    if back is not None:
        request = _request(reader, str(movement_id))
    return _Known(body, evidence, epcs, back, request, searched)


def _request(reader: StoreReader, movement_id: str) -> str | None:
    """Which request took a movement back; None if it was none, or too long ago."""
    for each in reader.state_rows(LABEL_ROWS):
        if each.row.key.partition(":")[2] == movement_id:
            return str(each.row.value["request"])
    return None


def _label(known: _Known, actor: str, note: str, at: str) -> dict[str, JsonValue]:
    label: dict[str, JsonValue] = {"at": at, "actor": actor, "movement": known.body}
    if note:
        label["note"] = note
    if known.evidence is not None:
        label["readings"] = known.evidence
    return label


def _told_wrong(known: _Known, actor: str, note: str) -> ToldWrong:
    body = known.body
    order = body.get("order")
    return ToldWrong(
        body["movement_id"],
        body["kind"],
        body["item"],
        body["quantity"],
        body["uom"],
        body["from"]["location"],
        body["to"]["location"],
        actor,
        note,
        known.epcs,
        body.get("lot"),
        None if order is None else OrderReference(**{"line": "", **order}),
    )
