"""Telemetry: what ops see in Grafana. Lossy by design and counted; movements never wait for it."""
