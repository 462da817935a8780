"""Run a simulated reader by hand: `python -m simulators.llrp --help`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ssl
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from random import Random

from simulators.llrp.device import IMPINJ_R420, PLAIN
from simulators.llrp.faults import Faults
from simulators.llrp.field import StillField, numbered_epcs
from simulators.llrp.playback import PlaybackReader, Recording
from simulators.llrp.radio import RATE_MAX, RadioSettings
from simulators.llrp.reader import LlrpReader, Options

DEVICES = {"impinj": IMPINJ_R420, "plain": PLAIN}
FAULTS = tuple(f.name for f in fields(Faults) if f.name not in {"struck", "delay_max_s"})


def arguments() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m simulators.llrp",
        description="A simulated LLRP reader. It serves one client at a time until Ctrl-C.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=5084, help="port to listen on; 0: any")
    parser.add_argument("--tags", type=int, default=10, help="tags in front of the antennas")
    parser.add_argument("--antennas", type=int, default=2, help="antennas that see tags, 1 to 4")
    parser.add_argument("--seed", type=int, default=1, help="seed of all randomness")
    parser.add_argument(
        "--rate", type=float, default=300.0, help=f"reads per second, up to {RATE_MAX}"
    )
    parser.add_argument("--device", choices=DEVICES, default="impinj", help="flavour of reader")
    parser.add_argument("--clock-offset", type=float, default=0.0, help="error of its clock, s")
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME=CHANCE",
        help="a fault and its chance per report: " + ", ".join(FAULTS),
    )
    parser.add_argument("--play", type=Path, help="play this recorded session instead")
    parser.add_argument("--certificate", type=Path, help="PEM file: serve TLS with it")
    parser.add_argument("--key", type=Path, help="PEM file with the key, if not in the first")
    return parser


def set_faults(faults: Faults, wishes: Sequence[str]) -> None:
    """Set `NAME=CHANCE` faults; ValueError says what is wrong with one."""
    for wish in wishes:
        name, _equals, chance = wish.partition("=")
        if name not in FAULTS:
            raise ValueError(f"no fault is called {name!r}; there are {', '.join(FAULTS)}")
        setattr(faults, name, float(chance))


def server_context(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """Return a TLS context for a server, or None without a certificate."""
    if certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def make_reader(options: argparse.Namespace) -> LlrpReader | PlaybackReader:
    """Build what the command line asks for."""
    if options.play is not None:
        return PlaybackReader(Recording.of_session(options.play.read_bytes()))
    random = Random(options.seed)
    antennas = range(1, options.antennas + 1)
    tags = StillField(numbered_epcs(options.tags), random, antennas)
    chosen = Options(
        device=DEVICES[options.device],
        radio=RadioSettings(reads_per_s=options.rate),
        clock_offset_s=options.clock_offset,
    )
    reader = LlrpReader(tags, random, chosen)
    set_faults(reader.faults, options.fault)
    return reader


async def serve(options: argparse.Namespace) -> None:
    """Serve until cancelled."""
    reader = make_reader(options)
    tls = server_context(options.certificate, options.key)
    port = await reader.start(options.port, options.host, tls)
    sys.stdout.write(f"listening on {options.host}:{port}, seed {options.seed}\n")
    sys.stdout.flush()
    try:
        await asyncio.Event().wait()
    finally:
        await reader.shutdown()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = arguments().parse_args(argv)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(serve(options))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
