"""Simulated lights that take their state over MQTT as WLED and ESPHome do.

`lights` is what they show, without any I/O; `serve` joins them to a broker. Nothing here knows the
gateway.
"""
