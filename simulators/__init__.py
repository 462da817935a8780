"""The simulated warehouse: the physical truth, the devices in front of it, and a reference core."""
