"""Delivery to the inventory core over MQTT."""
