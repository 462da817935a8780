"""Serve a simulated scanner by hand: each line of standard input is a scan."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from random import Random

from simulators.scanner.server import HOST, Format, ScannerServer


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m simulators.scanner",
        description="Serve a scanner on 127.0.0.1; each line of standard input is a scan. "
        "Escapes as in Python: \\x1d is the separator of GS1.",
    )
    parser.add_argument("--port", type=int, default=4001, help="TCP port (default 4001, 0 = free)")
    parser.add_argument("--seed", type=int, default=1, help="of the faults (default 1)")
    parser.add_argument("--torn", type=float, default=0.0, help="probability of a torn scan")
    parser.add_argument("--noise", type=float, default=0.0, help="probability of a bad byte")
    return parser


async def serve(options: argparse.Namespace) -> None:
    """Send what is typed until the input ends; it waits for somebody to be connected."""
    settings = Format(torn=options.torn, noise=options.noise)
    server = ScannerServer(settings, Random(options.seed))
    await server.start(options.port)
    sys.stdout.write(f"scanner on {HOST}:{server.port}, seed {options.seed}\n")
    sys.stdout.flush()
    try:
        while line := await asyncio.to_thread(sys.stdin.readline):
            text = line.rstrip("\n").encode("latin-1", "backslashreplace").decode("unicode_escape")
            await server.connected()
            whole = await server.scan(text)
            sys.stdout.write(f"{'sent' if whole else 'spoilt'} {text!r}\n")
            sys.stdout.flush()
    finally:
        await server.stop()


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    asyncio.run(serve(build_parser().parse_args(arguments)))


if __name__ == "__main__":
    main()
