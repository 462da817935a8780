"""What can be told of a dashboard without Grafana: it is up to date, whole and well placed."""

import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

GRAFANA = Path(__file__).resolve().parents[3] / "config" / "grafana"
FILES = sorted((GRAFANA / "dashboards").glob("*.json"))
KINDS = {"timeseries", "stat", "table", "bargauge", "state-timeline", "row"}
UNITS = {"none", "s", "ms", "bytes", "Bps", "percent", "celsius", "h", "massg", "cps", "dBm"}


def load(name: str) -> Any:
    return yaml.safe_load((GRAFANA / "provisioning" / name / "shelfgate.yaml").read_text())


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def dashboard(request: pytest.FixtureRequest) -> Any:
    return json.loads(request.param.read_text())


def panels(dashboard: Any) -> Iterator[Any]:
    return (panel for panel in dashboard["panels"] if panel["type"] != "row")


def test_files_are_what_the_source_makes() -> None:
    code = (
        "import build, json; print(json.dumps({str(p): text for p, text in build.files().items()}))"
    )
    made = subprocess.run(
        [sys.executable, "-B", "-c", code], cwd=GRAFANA, capture_output=True, text=True, check=True
    )
    texts = {Path(name): text for name, text in json.loads(made.stdout).items()}
    assert sorted(texts) == FILES, "run python config/grafana/build.py"
    for path in FILES:
        assert path.read_text() == texts[path], "run python config/grafana/build.py"


def test_dashboards_are_the_two_of_the_house() -> None:
    found = {path.stem: json.loads(path.read_text()) for path in FILES}
    assert {uid: one["title"] for uid, one in found.items()} == {
        "shelfgate-gateway": "Gateway",
        "shelfgate-shelves-and-readers": "Shelves and readers",
    }
    for uid, one in found.items():
        assert one["uid"] == uid
        assert len(uid) <= 40, "Grafana's bound"
        assert one["description"]


def test_panel_ids_are_unique_and_titles_say_something(dashboard: Any) -> None:
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))
    titles = [panel["title"] for panel in panels(dashboard)]
    assert len(titles) == len(set(titles))
    assert all(3 <= len(title) <= 40 for title in titles)


def test_panels_do_not_overlap_and_stay_on_the_grid(dashboard: Any) -> None:
    places = [panel["gridPos"] for panel in dashboard["panels"]]
    for place in places:
        assert place["x"] >= 0
        assert place["x"] + place["w"] <= 24
        assert place["w"] > 0 < place["h"]
    for one, other in combinations(places, 2):
        assert (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        ), f"{one} overlaps {other}"


def test_panels_have_unit_description_datasource_and_known_kind(dashboard: Any) -> None:
    source = load("datasources")["datasources"][0]
    expected = {"type": source["type"], "uid": source["uid"]}
    for panel in dashboard["panels"]:
        assert panel["type"] in KINDS
    for panel in panels(dashboard):
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
        assert len(panel["description"]) > 20
        assert panel["datasource"] == expected
        assert panel["targets"]
        for target in panel["targets"]:
            assert target["datasource"] == expected
    for variable in dashboard["templating"]["list"]:
        assert variable["datasource"] == expected


def test_thresholds_rise_from_a_base(dashboard: Any) -> None:
    for panel in panels(dashboard):
        first, *others = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        assert first["value"] is None
        values = [step["value"] for step in others]
        assert values == sorted(values)


def test_queries_keep_to_the_chosen_gateway_time_and_variables(dashboard: Any) -> None:
    names = {variable["name"] for variable in dashboard["templating"]["list"]}
    for panel in panels(dashboard):
        for target in panel["targets"]:
            query = target["query"]
            assert "$timeFilter" in query
            assert "/^$gateway$/" in query
            for word in query.replace("/^$", "\0").split("\0")[1:]:
                assert word.split("$")[0] in names
            if "time($__interval)" in query:
                assert query.endswith("fill(none)")


def test_dashboards_link_to_each_other(dashboard: Any) -> None:
    [link] = dashboard["links"]
    assert set(link["tags"]) <= set(dashboard["tags"])


def test_provisioning_is_configured_by_the_environment_alone() -> None:
    [source] = load("datasources")["datasources"]
    assert source["url"] == "$SHELFGATE_INFLUX_URL"
    assert source["jsonData"]["version"] == "InfluxQL"
    assert source["jsonData"]["dbName"] == "$SHELFGATE_INFLUX_BUCKET"
    assert source["secureJsonData"]["httpHeaderValue1"] == "Token $SHELFGATE_INFLUX_TOKEN"
    [provider] = load("dashboards")["providers"]
    assert provider["type"] == "file"
    assert provider["options"]["path"] == "$SHELFGATE_DASHBOARDS"
