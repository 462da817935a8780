"""Simulated weight transmitters that speak Modbus as the shipped families do.

A `Shelf` weighs what a `LoadField` puts on its cells, a family shows that as registers, a `Unit`
joins the two under one unit id, a `Bus` holds the units of one link together with its faults, and
`server` carries the bus over TCP or a pseudo-terminal. Nothing here knows the gateway.
"""
