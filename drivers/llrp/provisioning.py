"""What a reader is told to do: its configuration and the one ROSpec it runs for us.

The ROSpec starts at once and never ends (section 10.2: Immediate start, Null stops), and reports
every tag as it is seen (ROReportSpec N = 1): the least delay, one message per read.
"""

from typing import Any

from . import control
from .capabilities import Capabilities, Channel
from .settings import LlrpSettings

ROSPEC_ID = 1

LINK_MONITOR_MISSES = 5
"""Keepalives an Impinj reader may miss our answer to before it frees its only client slot. More
than our own watchdog's 2.5, so that we are the ones to notice first."""

_PERIODIC = 1
_GEN2 = 1


def reader_config(settings: LlrpSettings, reader: Capabilities, message_id: int) -> bytes:
    """SET_READER_CONFIG: keepalives, the events we act on, the inputs we watch, report holding."""
    fields: dict[str, Any] = {
        "ResetToFactoryDefaults": False,
        "ReaderEventNotificationSpec": {
            "EventNotificationState": {
                "HoppingEvent": False,
                "GPIEvent": bool(settings.gpi_ports),
                "ROSpecEvent": True,
                "RFSurveyEvent": False,
                "AISpecEvent": False,
                "AISpecEventWithSingulation": False,
                "ReaderExceptionEvent": True,
                "AntennaEvent": True,
                **({"ReportBufferFillWarning": True} if reader.can_warn_of_full_buffer else {}),
            }
        },
        "KeepaliveSpec": {
            "KeepaliveTriggerType": _PERIODIC,
            "TimeInterval": round(settings.keepalive_s * 1000),
        },
    }
    if settings.gpi_ports:
        fields["GPIPortCurrentState"] = [
            {"GPIPortNum": port, "GPIConfig": True} for port in reader.inputs(settings.gpi_ports)
        ]
    frame = control.encode("SET_READER_CONFIG", fields, message_id)
    last: list[bytes] = []
    if reader.can_hold_reports:
        last.append(control.hold_upon_reconnect(True))
    if reader.is_impinj:
        last.append(control.impinj_link_monitor(LINK_MONITOR_MISSES))
    return control.with_parameters(frame, *last)


def add_rospec(settings: LlrpSettings, reader: Capabilities, message_id: int) -> bytes:
    """ADD_ROSPEC with the one ROSpec; LinkError where the settings ask what the reader lacks."""
    antennas = reader.antennas(settings.antennas)
    channel = reader.channel(settings.channel)
    rospec: dict[str, Any] = {
        "ROSpecID": ROSPEC_ID,
        "Priority": 0,
        "CurrentState": "Disabled",
        "ROBoundarySpec": {
            "ROSpecStartTrigger": {"ROSpecStartTriggerType": "Immediate"},
            "ROSpecStopTrigger": {"ROSpecStopTriggerType": "Null", "DurationTriggerValue": 0},
        },
        "AISpec": [
            {
                "AntennaID": antennas,
                "AISpecStopTrigger": {"AISpecStopTriggerType": "Null", "DurationTriggerValue": 0},
                "InventoryParameterSpec": [
                    {
                        "InventoryParameterSpecID": 1,
                        "ProtocolID": _GEN2,
                        "AntennaConfiguration": [
                            _antenna(settings, reader, antenna, channel) for antenna in antennas
                        ],
                    }
                ],
            }
        ],
        "ROReportSpec": _report_spec(reader),
    }
    return control.encode("ADD_ROSPEC", {"ROSpecID": ROSPEC_ID, "ROSpec": rospec}, message_id)


def _antenna(
    settings: LlrpSettings, reader: Capabilities, antenna: int, channel: Channel
) -> dict[str, Any]:
    inventory: dict[str, Any] = {
        "TagInventoryStateAware": False,
        "C1G2SingulationControl": {
            "Session": settings.session,
            "TagPopulation": settings.population,
            "TagTransitTime": 0,
        },
    }
    if settings.mode is not None:
        inventory["C1G2RFControl"] = {"ModeIndex": reader.mode_index(settings.mode), "Tari": 0}
    if reader.is_impinj and settings.search_mode is not None:
        inventory["ImpinjInventorySearchMode"] = {"InventorySearchMode": settings.search_mode}
    return {
        "AntennaID": antenna,
        "RFTransmitter": {
            "HopTableId": channel.hop_table,
            "ChannelIndex": channel.index,
            "TransmitPower": reader.power_index(settings.power_of(antenna)),
        },
        "C1G2InventoryCommand": [inventory],
    }


def _report_spec(reader: Capabilities) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "ROReportTrigger": "Upon_N_Tags_Or_End_Of_ROSpec",
        "N": 1,
        "TagReportContentSelector": {
            "EnableAntennaID": True,
            "EnablePeakRSSI": True,
            "EnableFirstSeenTimestamp": True,
            "EnableLastSeenTimestamp": True,
            "EnableTagSeenCount": True,
            "C1G2EPCMemorySelector": {"EnableCRC": False, "EnablePCBits": False},
        },
    }
    if reader.is_impinj:
        spec["ImpinjTagReportContentSelector"] = {
            "ImpinjEnableRFPhaseAngle": {"RFPhaseAngleMode": 1},
            "ImpinjEnablePeakRSSI": {"PeakRSSIMode": 1},
            "ImpinjEnableRFDopplerFrequency": {"RFDopplerFrequencyMode": 1},
        }
    return spec
