"""Lights that take their state as JSON over MQTT: WLED, ESPHome, and what speaks as they do."""

from drivers.mqtt_light.driver import MqttLightDriver

__all__ = ["MqttLightDriver"]
