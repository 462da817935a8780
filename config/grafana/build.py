#!/usr/bin/env python3
"""Make the dashboards: `python config/grafana/build.py` writes dashboards/*.json beside this file.

A dashboard is rows of panels; a panel asks InfluxQL questions and says what its figures mean.
What gateways write is listed in README.md.

    gateway_dashboard.py  shelves_dashboard.py   what is shown: change it here
    influxql.py                                  how it is asked
    grafana_model.py                             how Grafana wants it written
"""

from __future__ import annotations

import json
from pathlib import Path

import gateway_dashboard
import shelves_dashboard
from grafana_model import render

FOLDER = Path(__file__).resolve().parent / "dashboards"
DASHBOARDS = (gateway_dashboard.DASHBOARD, shelves_dashboard.DASHBOARD)


def files() -> dict[Path, str]:
    """Return the text of each JSON file by its path."""
    return {
        FOLDER / f"{dashboard.uid}.json": json.dumps(render(dashboard), indent=2) + "\n"
        for dashboard in DASHBOARDS
    }


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
