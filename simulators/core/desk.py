"""The core's desk: messages in, messages out, no network.

Nothing is said before it is committed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from random import Random
from typing import Any, NamedTuple, TypeAlias

from simulators.core import acks
from simulators.core.acks import result_of
from simulators.core.book import Book
from simulators.core.booklet import booklet, locations_of
from simulators.core.contract import (
    Address,
    Contract,
    ContractError,
    Position,
    canonical,
    check_envelope,
    leaf_hash,
    parse,
    position,
)
from simulators.core.proposals import APPROVE
from simulators.core.record import Incoming, Outcome, Result
from simulators.core.references import Reference

REPLAY_PAUSE_S = 1.0
"""A replay is asked for again only after this pause: all that is in flight is early too."""


class Message(NamedTuple):
    """An MQTT message. `retain` of one that came in says that the broker had kept it."""

    topic: str
    payload: bytes
    retain: bool = False


Report: TypeAlias = Mapping[str, Any]
"""What happened, for a feed: `what` names it, the rest depends on that."""


class Answer(NamedTuple):
    """What to publish, in order, and what to tell."""

    messages: list[Message]
    reports: list[Report]


class Desk:
    """Answers messages out of the book. `random` makes request ids that no earlier run used.

    `gateways` are served with references even before they were ever heard. With `tells_books` each
    location's book is issued anew as it changes, with the thresholds that were issued of it before.
    """

    tells_books = False

    def __init__(
        self,
        book: Book,
        contract: Contract,
        site: str,
        random: Random,
        gateways: Iterable[str] = (),
    ) -> None:
        self.book = book
        self.contract = contract
        self.site = site
        self._request_prefix = f"core-{random.getrandbits(48):012x}"
        self._requests = 0
        self._expected = frozenset(gateways)
        self._served: set[str] = set()
        self._issued: dict[str, str] = {}
        self._asked: dict[tuple[str, str], tuple[int, float]] = {}
        self._answered: set[str] = set()
        self._compared: dict[tuple[str, str], tuple[str, str]] = {}
        self._comparing: dict[str, tuple[str, str]] = {}
        self._channels: dict[str, Callable[[Answer, Address, Any, bool], None]] = {
            "helloGateway": self._on_hello,
            "status": self._on_status,
            "coreRequest": self._on_request,
            "commandResponse": self._on_response,
        }

    def connected(self) -> Answer:
        """What to say on a fresh connection: hello to every gateway known, and all references."""
        answer = Answer([], [])
        self._served.clear()
        self._answered.clear()
        self._compared.clear()
        self._comparing.clear()
        for gateway in self._expected:
            self._serve(answer, gateway)
        for gateway, epoch in self.book.gateways().items():
            self._hello(answer, gateway, epoch)
        answer.messages.extend([*self._answers(), *self._differences()])
        return answer

    def handle(self, messages: Iterable[Message], now_s: float) -> Answer:
        """Take a burst of messages; records that stand together go into one commit."""
        answer = Answer([], [])
        records: list[Incoming] = []
        for message in messages:
            try:
                address = self.contract.address(message.topic)
                value = parse(message.payload)
                if address.channel == "event":
                    records.append(self._receive(address, value, message.payload))
                    continue
                self._commit(answer, records, now_s)
                records = []
                self.contract.validate(address.channel, value)
                act = self._channels.get(address.channel, _refuse)
                act(answer, address, value, message.retain)
            except ContractError as error:
                self.book.count("invalid")
                answer.reports.append(
                    {"what": "invalid", "topic": message.topic, "reason": str(error)}
                )
        self._commit(answer, records, now_s)
        return answer

    def put(self, kind: str, code: str, body: Mapping[str, Any] | None) -> Answer:
        """Issue a reference fact to all gateways, or take it back with None."""
        if body is not None:
            self.contract.validate(kind, dict(body, version=1))
        return self._issue([self.book.references.put(kind, code, body)])

    def order(self, task: Mapping[str, Any], gateway: str = "") -> Answer:
        """Take an order for people to carry out, or amend it while it is not confirmed.

        If a `gateway` is named, it alone is told. OrderRefusedError if the book does not allow it.
        """
        self.contract.validate("task", dict(task, version=1))
        return self._issue([self.book.order(task, gateway)])

    def withdraw(self, task: str) -> Answer:
        """Take an order back; OrderRefusedError if it is not open."""
        return self._issue([self.book.withdraw(task)])

    def answer(self, proposal: str, *, approved: bool, actor: str = "") -> Answer:
        """Decide on a proposal, and tell its gateway; ProposalRefusedError if it is not open."""
        self.book.answer(proposal, approved=approved, actor=actor)
        return Answer(self._answers(), [])

    def decided_elsewhere(self) -> Answer:
        """Issue the orders that another process has taken into the book, or taken back, and tell
        what it decided on proposals.
        """
        if not self.book.changed_elsewhere():
            return Answer([], [])
        tasks = [task for task in self.book.references.all() if task.kind == "task"]
        issued = self._issue([t for t in tasks if self._issued.get(t.code, "") != t.payload])
        return Answer([*issued.messages, *self._answers()], [])

    def command(self, gateway: str, command: str, args: Mapping[str, Any]) -> tuple[str, Message]:
        """Make a request to a gateway: returns its id, and the message."""
        self._requests += 1
        request = f"{self._request_prefix}-{self._requests}"
        body = {"id": request, "command": command, "args": dict(args)}
        self.contract.validate("commandRequest", body)
        return request, self._message("commandRequest", gateway, body)

    def _answers(self) -> list[Message]:
        """What the core has decided on proposals, once on each connection; a gateway that heard it
        before has nothing open any more.
        """
        messages = []
        for each in self.book.proposals.to_tell():
            if each.id not in self._answered:
                self._answered.add(each.id)
                args = {"code": each.id, "approved": each.answer == APPROVE}
                args |= {"actor": each.actor} if each.actor else {}
                messages.append(self.command(each.gateway, "approve", args)[1])
        return messages

    def _differences(self) -> list[Message]:
        """What the book has where a gateway's is another: told until the gateway took note of it,
        once on each connection.
        """
        messages = []
        for each in self.book.digests.all():
            place, told = each[:2], (each.sha256, each.book)
            if each.asked or self._compared.get(place) == told:
                continue
            self._compared[place] = told
            lines = [{"item": item, "quantity": held} for item, held in json.loads(each.book)]
            args = {"location": each.location, "epoch": each.epoch, "seq": each.seq}
            request, message = self.command(each.gateway, "reconcile", args | {"lines": lines})
            self._comparing[request] = place
            messages.append(message)
        return messages

    def _receive(self, address: Address, value: Any, payload: bytes) -> Incoming:
        """Read a record; only one whose position cannot be told is a ContractError here."""
        where = position(address, value)
        if where is None:
            raise ContractError("no gateway, epoch and seq can be found")
        data = value.get("data")
        if not isinstance(data, dict):
            leaf = hashlib.sha256(payload).hexdigest()
            return Incoming(where, leaf, payload, {}, "data: is no object")
        try:
            self.contract.validate("event", value)
            check_envelope(address, value)
        except ContractError as error:
            return Incoming(where, leaf_hash(data), payload, {}, str(error)[:1024])
        return Incoming(where, value["leafhash"], canonical(data), data)

    def _commit(self, answer: Answer, records: Sequence[Incoming], now_s: float) -> None:
        if not records:
            return
        committed = self.book.apply(records)
        for (gateway, epoch), hw in committed.marks.items():
            self._serve(answer, gateway)
            mine = [
                outcome
                for outcome in committed.outcomes
                if outcome.incoming.position[:2] == (gateway, epoch)
            ]
            if mine:
                results = [result_of(outcome) for outcome in mine]
                self._acknowledge(answer, (gateway, epoch), hw, results)
            if (gateway, epoch) in committed.gaps:
                self._ask_replay(answer, Position(gateway, epoch, hw + 1), now_s)
        if self.tells_books:
            self._issue_books(answer, committed.outcomes)
        answer.reports.extend(_report(outcome) for outcome in committed.outcomes)
        answer.reports.extend(
            {"what": "transfer", "transfer": each._asdict()} for each in committed.transfers
        )
        answer.messages.extend(self._issue(_closed(committed.outcomes)).messages)
        if any(outcome.incoming.data.get("event") == "digest" for outcome in committed.outcomes):
            answer.messages.extend(self._differences())

    def _issue_books(self, answer: Answer, outcomes: Iterable[Outcome]) -> None:
        taken = [each.incoming.data for each in outcomes if each.status == "accepted"]
        for location in sorted({place for data in taken for place in locations_of(data)}):
            before = self.book.references.body("book", location)
            body = booklet(location, self.book.stock(), taken, before)
            answer.messages.extend(self.put("book", location, body).messages)

    def _ask_replay(self, answer: Answer, start: Position, now_s: float) -> None:
        epoch = start.gateway, start.epoch
        seq, at_s = self._asked.get(epoch, (0, 0.0))
        if seq == start.seq and now_s - at_s < REPLAY_PAUSE_S:
            return
        self._asked[epoch] = start.seq, now_s
        args = {"epoch": start.epoch, "seq": start.seq}
        answer.messages.append(self.command(start.gateway, "replay-from", args)[1])
        answer.reports.append({"what": "replay", **start._asdict()})

    def _on_hello(self, answer: Answer, address: Address, value: Any, _retain: bool) -> None:
        epoch = value["epoch"]
        _, incidents = self.book.hello(address.gateway, epoch, value["first_kept"], value["last"])
        self._hello(answer, address.gateway, epoch)
        self._answered.clear()
        answer.messages.extend(self._answers())
        if "gap" in incidents:
            answer.messages.append(self.command(address.gateway, "snapshot", {})[1])
        for incident in incidents:
            answer.reports.append({"what": incident, "gateway": address.gateway, "epoch": epoch})

    def _on_status(self, answer: Answer, address: Address, value: Any, retain: bool) -> None:
        """A status that the broker had kept tells of a gateway that came before this core."""
        answer.reports.append({"what": value["state"], "gateway": address.gateway})
        if retain and self.book.gateways().get(address.gateway) != value["epoch"]:
            self.book.register(address.gateway, value["epoch"])
            self._hello(answer, address.gateway, value["epoch"])

    def _on_request(self, answer: Answer, address: Address, value: Any, _retain: bool) -> None:
        args = value["args"]
        hw = self.book.hw(address.gateway, args["epoch"])
        start = Position(address.gateway, args["epoch"], args["seq"])
        results = self.book.results(start, acks.RESULTS_MAX * acks.MESSAGES_MAX)
        self._acknowledge(answer, (address.gateway, args["epoch"]), hw, results)

    def _on_response(self, answer: Answer, address: Address, value: Any, _retain: bool) -> None:
        place = self._comparing.pop(value.get("id", ""), None)
        if place is not None and value["ok"]:
            self.book.reconciled(*place)
        answer.reports.append({"what": "response", "gateway": address.gateway, "response": value})

    def _serve(self, answer: Answer, gateway: str) -> None:
        """Publish all references for a gateway, once on each connection."""
        if gateway not in self._served:
            self._served.add(gateway)
            answer.messages.extend(
                self._reference(gateway, each)
                for each in self.book.references.all()
                if gateway in self._told(each, {gateway})
            )

    def _hello(self, answer: Answer, gateway: str, epoch: str) -> None:
        self._serve(answer, gateway)
        hw = self.book.hw(gateway, epoch)
        answer.messages.append(self._message("helloCore", gateway, {"epoch": epoch, "hw": hw}))
        answer.reports.append({"what": "hello", "gateway": gateway, "epoch": epoch, "hw": hw})

    def _acknowledge(
        self, answer: Answer, position: tuple[str, str], hw: int, results: Sequence[Result]
    ) -> None:
        gateway, epoch = position
        for body in acks.pages(epoch, hw, results):
            answer.messages.append(self._message("ack", gateway, body))

    def _issue(self, references: Iterable[Reference]) -> Answer:
        """Publish references for all gateways that are told them."""
        gateways = self._expected.union(self.book.gateways())
        return Answer(
            [
                self._reference(gateway, each)
                for each in references
                for gateway in sorted(self._told(each, gateways))
            ],
            [],
        )

    def _told(self, reference: Reference, gateways: Collection[str]) -> Collection[str]:
        """Of these gateways, those that are told it."""
        addressee = self.book.references.addressee(reference.kind, reference.code)
        return {addressee} if addressee else gateways

    def _reference(self, gateway: str, reference: Reference) -> Message:
        if reference.kind == "task":
            self._issued[reference.code] = reference.payload
        topic = self.contract.topic(reference.kind, self.site, gateway, reference.code)
        return Message(topic, reference.payload.encode(), retain=True)

    def _message(self, channel: str, gateway: str, body: Mapping[str, Any]) -> Message:
        return Message(self.contract.topic(channel, self.site, gateway), canonical(body))


def _refuse(_answer: Answer, address: Address, _value: Any, _retain: bool) -> None:
    raise ContractError(f"{address.channel} is not for the core")


def _closed(outcomes: Iterable[Outcome]) -> list[Reference]:
    """What clears the topics of the tasks that were confirmed."""
    return [
        Reference("task", outcome.incoming.data["task"], "")
        for outcome in outcomes
        if outcome.status == "accepted" and outcome.incoming.data["event"] == "task_confirmation"
    ]


def _report(outcome: Outcome) -> Report:
    incoming = outcome.incoming
    return {
        "what": outcome.status,
        **incoming.position._asdict(),
        "document_no": outcome.document_no,
        "reason": outcome.reason,
        "data": incoming.data,
    }
