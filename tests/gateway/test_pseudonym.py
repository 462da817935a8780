"""Under which names the people are recorded whom commands name."""

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.assembly import Gateway
from gateway.model import pseudonym
from gateway.settings import Configuration, load_configuration
from gateway.status import RefusedError
from tests.gateway.serving import command, serving
from tests.polling import until

KEY = b"a secret of the site"
ANA = hmac.new(KEY, b"Ana", hashlib.sha256).hexdigest()[:16]


@pytest.fixture
def configuration(write_site: Callable[..., Path], tmp_path: Path) -> Configuration:
    secret = tmp_path / "badge-key"
    secret.write_bytes(KEY)
    path = write_site(rest="[rules.person]\npseudonym = true\n")
    text = path.read_text().replace("[gateway]\n", f'[gateway]\npseudonym_key = "{secret}"\n')
    path.write_text(text)
    return load_configuration(path)


async def acknowledged_by(gateway: Gateway) -> set[str]:
    listed = (await command(gateway, "alert-ls"))["alerts"]
    return {each["acknowledged"]["actor"] for each in listed if "acknowledged" in each}


def test_without_a_secret_people_have_their_names() -> None:
    assert (pseudonym(b"", "Ana"), pseudonym(KEY, "Ana")) == ("Ana", ANA)


async def test_whom_commands_name_is_recorded_by_the_pseudonym(
    configuration: Configuration,
) -> None:
    async with serving(configuration) as gateway:
        await gateway.fault("new_epoch", active=True, detail="it began")
        await until(lambda: gateway.store.last_seq >= 1)
        [alert] = (await command(gateway, "alert-ls"))["alerts"]
        await command(gateway, "alert-ack", "2", key=alert["key"], actor="Ana")
        await command(gateway, "count-start", "3", actor="Ana")
        assert await acknowledged_by(gateway) == {ANA}
        assert (await command(gateway, "count-status"))["actor"] == ANA
        with pytest.raises(RefusedError, match="actor: a key"):
            await command(gateway, "alert-ack", "4", key=alert["key"], actor="")
        records = await gateway.store.records_after(0, 1000)
        assert not [each for each in records if b"Ana" in each.body]
        assert [each for each in records if ANA in json.dumps(json.loads(each.body))]


@pytest.mark.parametrize(("is_left_out", "by"), [(True, ANA), (False, "Ana")])
async def test_rule_that_is_left_out_betrays_nobody(
    configuration: Configuration, is_left_out: bool, by: str
) -> None:
    rules = tuple(rule for rule in configuration.rules if rule.name != "person")
    if not is_left_out:
        [person] = [rule for rule in configuration.rules if rule.name == "person"]
        plain = person.factory.Settings()
        rules = (*rules, replace(person, settings=plain))
    async with serving(replace(configuration, rules=rules)) as gateway:
        await gateway.fault("new_epoch", active=True, detail="it began")
        await until(lambda: gateway.store.last_seq >= 1)
        [alert] = (await command(gateway, "alert-ls"))["alerts"]
        await command(gateway, "alert-ack", "2", key=alert["key"], actor="Ana")
        assert await acknowledged_by(gateway) == {by}
