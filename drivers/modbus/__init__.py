"""Weight transmitters over Modbus TCP, RTU over TCP and serial RTU."""

from drivers.modbus.driver import ModbusDriver

__all__ = ["ModbusDriver"]
