"""The site's broker as it is shipped: its files, the README's certificates, and the real uplink."""

import asyncio
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.ports import LinkError
from gateway.uplink.endpoint import NO_MATCHING_SUBSCRIBERS, Endpoint, RejectedError
from gateway.uplink.inbound import Inbound
from gateway.uplink.link import Link, open_link
from gateway.uplink.settings import TlsSettings
from gateway.uplink.tls import context

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = ROOT / "config" / "mosquitto"
BASE = "shelfgate/v1/plant-north"
READY_S = 10.0
HEARD_S = 0.3


def channels(action: str) -> set[str]:
    """The topics below a gateway's name that it sends on, or receives by, in the contract."""
    contract = yaml.safe_load((ROOT / "docs" / "asyncapi.yaml").read_text())
    addresses = {
        f"#/channels/{name}": channel["address"] for name, channel in contract["channels"].items()
    }
    used = {
        addresses[operation["channel"]["$ref"]].partition("{gateway}/")[2]
        for operation in contract["operations"].values()
        if operation["action"] == action
    }
    return {re.sub(r"\{\w+\}", "+", address) for address in used}


UP, DOWN = channels("send"), channels("receive")


def allowed(rule: str, who: str) -> set[str]:
    lines = (SHIPPED / "shelfgate.acl").read_text().splitlines()
    start = f"{rule} {BASE}/{who}/"
    return {line.removeprefix(start) for line in lines if line.startswith(start)}


def test_acl_is_the_contract() -> None:
    assert allowed("pattern write", "%u") == allowed("topic read", "+") == UP
    assert allowed("pattern read", "%u") == allowed("topic write", "+") == DOWN
    rules = [line for line in (SHIPPED / "shelfgate.acl").read_text().splitlines() if line]
    assert sum(not rule.startswith("#") for rule in rules) == 2 * len(UP | DOWN) + 1


def test_readme_explains_itself_on_a_page() -> None:
    assert len((SHIPPED / "README.md").read_text().splitlines()) <= 40


@pytest.fixture(scope="module")
def certificates(require: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The README's own commands, run as they stand; and a stranger's CA likewise."""
    require("openssl")
    script = re.findall(r"```sh\n(.*?)```", (SHIPPED / "README.md").read_text(), re.DOTALL)[0]
    script = script.replace("DNS:broker.plant-north.example", "IP:127.0.0.1")
    folder = tmp_path_factory.mktemp("certificates")
    for place in (folder, folder / "stranger"):
        place.mkdir(exist_ok=True)
        subprocess.run(["sh", "-eu", "-c", script], cwd=place, check=True, capture_output=True)
    return folder


@pytest.fixture
async def broker(
    require: Callable[[str], str], certificates: Path, tmp_path: Path, free_port: int
) -> AsyncIterator[int]:
    """Mosquitto with the shipped files; only paths, port and user are others."""
    text = (SHIPPED / "mosquitto.conf").read_text()
    for shipped, here in (
        ("listener 8883\n", f"listener {free_port} 127.0.0.1\n"),
        ("/etc/mosquitto/certs/", f"{certificates}/"),
        ("/etc/mosquitto/shelfgate.acl", f"{tmp_path}/shelfgate.acl"),
        ("/var/lib/mosquitto/", f"{tmp_path}/"),
    ):
        assert text.count(shipped) >= 1
        text = text.replace(shipped, here)
    shutil.copy(SHIPPED / "shelfgate.acl", tmp_path)
    path = tmp_path / "mosquitto.conf"
    path.write_text(f"{text}user root\n")
    process = await asyncio.create_subprocess_exec(
        require("mosquitto"), "-c", str(path), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await listening(process, free_port)
        yield free_port
    finally:
        process.terminate()
        await process.wait()


async def listening(process: asyncio.subprocess.Process, port: int) -> None:
    async with asyncio.timeout(READY_S):
        while True:
            assert process.returncode is None, "mosquitto does not take its configuration"
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.01)
                continue
            writer.close()
            await writer.wait_closed()
            return


@pytest.fixture
def linked(broker: int, certificates: Path) -> Callable[..., Any]:
    """A link as the uplink makes it, with somebody's certificate."""

    @asynccontextmanager
    async def link_of(name: str | None, folder: str = ".") -> AsyncIterator[Link]:
        files = {} if name is None else {"certificate": f"{name}.pem", "key": f"{name}.key"}
        files = {use: str(certificates / folder / file) for use, file in files.items()}
        secured = context(TlsSettings(ca=str(certificates / "ca.pem"), **files))
        endpoint = Endpoint("127.0.0.1", broker, name or "nobody", None, tls=secured)
        link = await open_link(endpoint, "5")
        try:
            yield link
        finally:
            await link.close()

    return link_of


def topics(channels_: set[str], gateway: str) -> Iterator[str]:
    for channel in sorted(channels_):
        yield f"{BASE}/{gateway}/{channel.replace('+', 'key')}"


async def assert_refused(link: Link, channels_: set[str], gateway: str) -> None:
    for topic in topics(channels_, gateway):
        with pytest.raises(RejectedError, match="Not authorized"):
            await link.publish(topic, b"{}")


async def heard(link: Link, filters: list[str]) -> list[str]:
    """Subscribe; the returned list grows with the topics that come in."""
    found: list[str] = []

    def take(inbound: Inbound) -> None:
        found.append(inbound.topic)
        inbound.acknowledge()

    link.receive(take)
    await link.subscribe(filters)
    return found


@pytest.mark.server
async def test_gateway_speaks_for_itself_alone(linked: Callable[..., Any]) -> None:
    async with linked("edge-1") as link:
        assert link.window == 64, "the broker narrows the window"
        for topic in topics(UP, "edge-1"):
            assert await link.publish(topic, b"{}") == NO_MATCHING_SUBSCRIBERS
        await assert_refused(link, UP, "edge-2")
        await assert_refused(link, DOWN, "edge-1")


@pytest.mark.server
async def test_core_acknowledges_and_never_reports(linked: Callable[..., Any]) -> None:
    async with linked("core") as core, linked("edge-1") as edge:
        at_core = await heard(core, [f"{BASE}/+/#"])
        at_edge = await heard(edge, [f"{BASE}/edge-1/#", f"{BASE}/edge-2/#"])
        for gateway in ("edge-1", "edge-2"):
            for topic in topics(DOWN, gateway):
                await core.publish(topic, b"{}")
        for topic in topics(UP, "edge-1"):
            await edge.publish(topic, b"{}")
        await assert_refused(core, UP, "edge-1")
        await asyncio.sleep(HEARD_S)  # what must not come has had its time
        assert at_edge == list(topics(DOWN, "edge-1"))
        assert at_core == list(topics(UP, "edge-1"))


@pytest.mark.server
@pytest.mark.parametrize(
    ("name", "folder", "reason"),
    [(None, ".", "demands a client certificate"), ("edge-1", "stranger", "CA of our client")],
)
async def test_nobody_comes_in_without_a_certificate_of_the_site(
    linked: Callable[..., Any], name: str | None, folder: str, reason: str
) -> None:
    with pytest.raises(LinkError, match=reason):
        async with linked(name, folder):
            pass


@pytest.mark.server
def test_certificate_of_a_gateway_is_no_authority(
    require: Callable[[str], str], certificates: Path
) -> None:
    shown = subprocess.run(
        [require("openssl"), "x509", "-in", "edge-1.pem", "-noout", "-ext", "basicConstraints"],
        cwd=certificates,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert "CA:FALSE" in shown
