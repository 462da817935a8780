"""The reference inventory core: the core's side of the contract, on SQLite and MQTT.

`contract` knows the document, `book` keeps what was committed, `desk` answers messages, `service`
carries them. It knows the wire and the contract only.
"""
