"""The alerts that stand, as far as a stack light tells of them. Durable. Part of the light rule."""

from __future__ import annotations

from gateway.model import Alert, Severity
from gateway.ports import NOTHING, Row, Turn

ALERT_ROW = "alert:"

STANDING_MAX = 1_000
"""More than anybody can look at; of more, that which stands longest is forgotten here."""


class StandingAlerts:
    """See the module. An alert that is for information only lights nothing."""

    def __init__(self) -> None:
        self._standing: dict[str, Severity] = {}

    def restore(self, row: Row) -> None:
        """Take back an alert that stands."""
        severity = row.value["severity"]
        self._standing[row.key] = "critical" if severity == "critical" else "warning"

    def told(self, alert: Alert) -> Turn:
        """An alert is raised, or cleared."""
        key = f"{ALERT_ROW}{alert.code}:{alert.key}"
        known = self._standing.pop(key, None)
        if not alert.raised or alert.severity == "info":
            return Turn(deletes=(key,)) if known else NOTHING
        deletes: tuple[str, ...] = ()
        if len(self._standing) >= STANDING_MAX:
            oldest = next(iter(self._standing))
            del self._standing[oldest]
            deletes = (oldest,)
        self._standing[key] = alert.severity
        if known == alert.severity:
            return NOTHING
        return Turn(puts=(Row(key, {"severity": alert.severity}),), deletes=deletes)

    def worst(self) -> Severity | None:
        """The worst that stands; None if nothing does."""
        severities = self._standing.values()
        return "critical" if "critical" in severities else "warning" if severities else None
