import sys
import types
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from gateway import registry
from gateway.ports import ConfigError


def install(monkeypatch: pytest.MonkeyPatch, *entries: EntryPoint) -> None:
    def found(group: str) -> EntryPoints:
        return EntryPoints(entry for entry in entries if entry.group == group)

    monkeypatch.setattr(registry, "entry_points", found)


def test_plugins_are_our_own_by_default() -> None:
    assert {"llrp", "modbus"} <= set(registry.plugins(registry.DRIVERS))


def test_rules_stand_in_their_order_and_strangers_last() -> None:
    names = list(registry.plugins(registry.RULES))
    assert names == [name for name in registry.RULE_ORDER if name in names]


def test_a_rule_that_nobody_knows_runs_last(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("zebra", "movement", "apple", "presence")
    install(monkeypatch, *(EntryPoint(name, "x:Y", registry.RULES) for name in names))
    assert list(registry.plugins(registry.RULES)) == ["presence", "movement", "apple", "zebra"]


def test_load_an_unknown_driver_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"no driver 'modbuss'; did you mean 'modbus'\?"):
        registry.load(registry.DRIVERS, "modbuss")


def test_load_a_plugin_that_cannot_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, EntryPoint("gone", "no_such_module:Driver", registry.DRIVERS))
    with pytest.raises(ConfigError, match=r"'gone' \(no_such_module:Driver\) cannot be loaded"):
        registry.load(registry.DRIVERS, "gone")


def test_load_a_plugin_without_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("bare_driver")
    module.__dict__["Driver"] = type("Driver", (), {})
    monkeypatch.setitem(sys.modules, "bare_driver", module)
    install(monkeypatch, EntryPoint("bare", "bare_driver:Driver", registry.DRIVERS))
    with pytest.raises(ConfigError, match=r"declares no Settings\(PluginSettings\)"):
        registry.load(registry.DRIVERS, "bare")
