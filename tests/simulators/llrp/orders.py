"""Request bodies for the tests, built by llrpkit: a foreign codec that is right on real frames."""

from typing import Any

from llrpkit.inventory import build_rospec
from llrpkit.protocol import enums, messages, params


def body(message: Any) -> bytes:
    """The body of a message without its header."""
    return bytes(message.to_bytes(message_id=0)[10:])


def rospec(**options: Any) -> Any:
    """A ROSpec that starts when it is enabled, unless changed afterwards."""
    trigger = options.pop("start", enums.ROSpecStartTriggerType.Immediate)
    spec = build_rospec(ro_spec_id=1, **options)
    spec.ro_boundary_spec.ro_spec_start_trigger.ro_spec_start_trigger_type = trigger
    return spec


def add(spec: Any = None, **options: Any) -> bytes:
    """The body of an ADD_ROSPEC."""
    return body(messages.ADD_ROSPEC(ro_spec=spec or rospec(**options)))


def config(**parts: Any) -> bytes:
    """The body of a SET_READER_CONFIG."""
    parts.setdefault("reset_to_factory_default", False)
    return body(messages.SET_READER_CONFIG(**parts))


def keepalive(period_ms: int) -> bytes:
    """Ask for keepalives."""
    periodic = enums.KeepaliveTriggerType.Periodic if period_ms else 0
    spec = params.KeepaliveSpec(keepalive_trigger_type=periodic, periodic_trigger_value=period_ms)
    return config(keepalive_spec=spec)


def events(*kinds: int) -> bytes:
    """Switch event kinds on."""
    states = [
        params.EventNotificationState(event_type=kind, notification_state=True) for kind in kinds
    ]
    spec = params.ReaderEventNotificationSpec(event_notification_states=states)
    return config(reader_event_notification_spec=spec)


def hold(on: bool = True) -> bytes:
    """Ask for HoldEventsAndReportsUponReconnect."""
    spec = params.EventsAndReports(hold_events_and_reports_upon_reconnect=on)
    return config(events_and_reports=spec)


def output(port: int, level: bool) -> bytes:
    """Set an output."""
    return config(gpo_write_datas=[params.GPOWriteData(gpo_port_number=port, gpo_data=level)])


def input_enabled(port: int) -> bytes:
    """Enable the events of an input."""
    state = params.GPIPortCurrentState(gpi_port_num=port, config=True, state=0)
    return config(gpi_port_current_states=[state])


def number(rospec_id: int) -> bytes:
    """The body of a message that names one ROSpec or AccessSpec."""
    return rospec_id.to_bytes(4, "big")


def observe(spec: Any, kind: int, **values: int) -> Any:
    """Let the AISpec of a ROSpec stop by a tag observation."""
    fields = {"number_of_tags": 0, "number_of_attempts": 0, "t": 0, "timeout": 0} | values
    spec.spec_parameters[0].ai_spec_stop_trigger = params.AISpecStopTrigger(
        ai_spec_stop_trigger_type=enums.AISpecStopTriggerType.Tag_Observation,
        duration_trigger=0,
        tag_observation_trigger=params.TagObservationTrigger(trigger_type=kind, **fields),
    )
    return spec
