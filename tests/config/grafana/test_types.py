"""The dashboards against Grafana's own published types, where npm can be had.

A Grafana server is in no distribution, so this is as near as a test comes to one.
"""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

GRAFANA = Path(__file__).resolve().parents[3] / "config" / "grafana"
FILES = sorted((GRAFANA / "dashboards").glob("*.json"))
PACKAGES = ["@grafana/schema@13.2.3", "typescript@7.0.2"]
FETCH_S = 60
KINDS = {
    "timeseries": ("timeseries", "TimeSeriesPanelCfg"),
    "stat": ("stat", "StatPanelCfg"),
    "bargauge": ("bargauge", "BarGaugePanelCfg"),
    "state-timeline": ("statetimeline", "StateTimelinePanelCfg"),
    "table": ("table", "TablePanelCfg"),
}
HEAD = """
import type { Dashboard } from "@grafana/schema";
type Plain<T> = T extends string ? `${T}`
  : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
type Given<T> = Partial<Plain<T>>;
"""


@pytest.fixture(scope="module")
def compiler(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Check TypeScript text against Grafana's types; a visible skip where they cannot be had."""
    folder = tmp_path_factory.mktemp("types")
    fetch = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *PACKAGES]
    try:
        (folder / "package.json").write_text("{}")
        subprocess.run(fetch, cwd=folder, check=True, capture_output=True, timeout=FETCH_S)
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"npm does not give {PACKAGES}: {error}")

    def check(text: str) -> str:
        (folder / "check.ts").write_text(HEAD + text)
        flags = "--noEmit --strict --skipLibCheck --module esnext --moduleResolution bundler"
        command = ["npx", "--no-install", "tsc", *flags.split(), "check.ts"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    return check


def typed(dashboard: Any) -> str:
    """The dashboard as TypeScript, and each panel's options and drawing by its own kind's types."""
    parts = [f"export const dashboard: Plain<Dashboard> = {json.dumps(dashboard)};"]
    for kind, (folder, name) in KINDS.items():
        module = f"@grafana/schema/dist/esm/raw/composable/{folder}/panelcfg/x/{name}_types.gen"
        options = [panel["options"] for panel in dashboard["panels"] if panel["type"] == kind]
        alias = name.lower()
        parts += [
            f'import type * as {alias} from "{module}";',
            f"export const {alias}_options: Given<{alias}.Options>[] = {json.dumps(options)};",
        ]
    drawn = [
        panel["fieldConfig"]["defaults"]["custom"]
        for panel in dashboard["panels"]
        if panel["type"] == "timeseries"
    ]
    drawing = "Plain<timeseriespanelcfg.FieldConfig>[]"
    parts.append(f"export const drawn: {drawing} = {json.dumps(drawn)};")
    return "\n".join(parts)


@pytest.mark.server
@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_dashboard_fits_the_types_of_grafana(compiler: Callable[[str], str], file: Path) -> None:
    assert compiler(typed(json.loads(file.read_text()))) == ""


@pytest.mark.server
def test_dashboard_with_mistakes_does_not_fit(compiler: Callable[[str], str]) -> None:
    dashboard = json.loads(FILES[0].read_text())
    dashboard["panels"][1]["gridPos"]["w"] = "wide"
    dashboard["panels"][1]["options"]["colorMode"] = "loud"
    course = next(panel for panel in dashboard["panels"] if panel["type"] == "timeseries")
    course["fieldConfig"]["defaults"]["custom"]["drawStyle"] = "zigzag"
    said = compiler(typed(dashboard))
    assert "Type 'string' is not assignable to type 'number'" in said
    assert "loud" in said
    assert "zigzag" in said
