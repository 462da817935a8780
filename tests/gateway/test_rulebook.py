from uuid import UUID

import pytest

from gateway.engine import RuleFailed
from gateway.model import Site
from gateway.ports import ConfigError, PluginSettings, Rule, RuleContext
from gateway.rulebook import Surroundings, build_engine
from gateway.settings import RuleConfiguration

SURROUNDINGS = Surroundings(Site(), str(UUID(int=1)), "boot", 0, None)


def build(error: Exception) -> None:
    def factory(_settings: PluginSettings, _context: RuleContext) -> Rule:
        raise error

    rule = RuleConfiguration("own", factory, PluginSettings())
    build_engine([rule], SURROUNDINGS, {}, ())


def test_rule_that_cannot_be_built_counts_as_failed() -> None:
    with pytest.raises(RuleFailed, match="own failed: it cannot be built") as told:
        build(ValueError("no table"))
    assert told.value.rule == "own"


def test_rule_that_is_configured_wrong_is_told_as_such() -> None:
    with pytest.raises(ConfigError, match="no table"):
        build(ConfigError("no table"))
