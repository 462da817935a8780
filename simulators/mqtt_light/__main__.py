"""Show simulated MQTT lights by hand: what each shows is printed as it changes."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress

from simulators.mqtt_light.lights import JsonLight, Light, Wled
from simulators.mqtt_light.serve import Plugged

EFFECTS = ("Slow", "Fast", "Double")


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m simulators.mqtt_light",
        description="Join lights to a broker and show what they are told, until interrupted.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1883, help="of the broker (default 1883)")
    parser.add_argument("--wled", action="append", default=[], metavar="NAME", help="may repeat")
    parser.add_argument("--json", action="append", default=[], metavar="NAME", help="may repeat")
    return parser


async def serve(options: argparse.Namespace) -> None:
    """Show the lights until cancelled."""
    lights: list[Light] = [Wled(name) for name in options.wled]
    lights += [JsonLight(name, EFFECTS) for name in options.json]

    def tell() -> None:
        for light in lights:
            print(light, flush=True)  # noqa: T201 - its answer

    async with AsyncExitStack() as stack:
        for light in lights:
            print(f"{light.topic}: waits", flush=True)  # noqa: T201 - its answer
            await stack.enter_async_context(Plugged(light, options.host, options.port, tell))
        await asyncio.Event().wait()


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(build_parser().parse_args(arguments)))


if __name__ == "__main__":
    main()
