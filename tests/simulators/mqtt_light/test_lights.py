"""What simulated MQTT lights show of messages as their makers document them."""

import json

from simulators.mqtt_light.lights import JsonLight, Seen, Wled


def told(light: Wled | JsonLight, **state: object) -> None:
    light.take(json.dumps(state).encode())


def test_wled_shows_each_segment_by_itself() -> None:
    strip = Wled("a")
    told(strip, on=True, seg=[{"id": 1, "on": True, "col": [[255, 0, 0]], "fx": 1}])
    told(strip, seg={"on": True, "col": [[0, 255, 0, 0]]})
    assert (strip.seen(0), strip.seen(1)) == (
        Seen((0, 255, 0), "Solid"),
        Seen((255, 0, 0), "Blink"),
    )
    told(strip, seg=[{"id": 1, "on": False}])
    assert (strip.seen(0).rgb, strip.seen(1)) == ((0, 255, 0), Seen())
    told(strip, on=False)
    assert strip.seen(0) == Seen()
    strip.power_cycle()
    told(strip, on=True)
    assert strip.seen(0) == Seen()


def test_json_light_knows_its_own_effects_only() -> None:
    lamp = JsonLight("a", ("Slow",))
    colour = {"r": 1, "g": 2, "b": 3}
    told(lamp, state="ON", color=colour, effect="Slow")
    assert lamp.seen == Seen((1, 2, 3), "Slow")
    told(lamp, state="ON", color=colour, effect="Fast")
    assert lamp.seen == Seen((1, 2, 3), "None")
    told(lamp, state="OFF")
    assert lamp.seen == Seen()


def test_what_makes_no_sense_changes_nothing() -> None:
    lamp, strip = JsonLight("a"), Wled("a")
    told(lamp, state="ON")
    for nonsense in (b"", b"[]", b"{", b'{"state": 7}'):
        lamp.take(nonsense)
        strip.take(nonsense)
    assert lamp.seen.rgb == (255, 255, 255)
    assert strip.seen(0) == Seen()
