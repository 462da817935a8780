"""Makes tsb.json: what statsforecast's TSB says of series like those of a shelf.

    python -m venv /tmp/oracle && /tmp/oracle/bin/pip install statsforecast==2.1.1
    /tmp/oracle/bin/python tests/rules/data/make_tsb.py

Each series is drawn from a printed seed: in a bucket there is an issue with some probability, of a
size drawn evenly. `forecast` holds TSB's forecasts made before each bucket from the second on, with
a = b = 0.1. `low` and `high` are its 10 and 90 % (conformal intervals of 80 %), made before each of
the last buckets out of all before them.
"""

import json
from pathlib import Path
from random import Random

import numpy as np
from statsforecast import __version__
from statsforecast.models import TSB
from statsforecast.utils import ConformalIntervals

SEED = 20
BUCKETS, LAST = 160, 60
KINDS = (
    ("rare", 0.06, 1, 3),
    ("intermittent", 0.15, 1, 5),
    ("lumpy", 0.25, 1, 40),
    ("frequent", 0.55, 1, 8),
    ("smooth", 1.0, 8, 12),
)
"""Name, probability of an issue, least and most pieces of it."""

DIES = 110
"""From this bucket on nothing is issued of one more series."""


def drawn(random: Random, probability: float, least: int, most: int) -> list[int]:
    return [
        random.randint(least, most) if random.random() < probability else 0 for _ in range(BUCKETS)
    ]


def told(values: list[int]) -> dict[str, list]:
    y = np.array(values, dtype=float)
    fitted = TSB(0.1, 0.1).forecast(y, h=1, fitted=True)["fitted"]
    wide = TSB(0.1, 0.1, prediction_intervals=ConformalIntervals(n_windows=20, h=1))
    spans = [wide.forecast(y[:end], h=1, level=[80]) for end in range(BUCKETS - LAST, BUCKETS)]
    return {
        "values": values,
        "forecast": [round(float(each), 6) for each in fitted[1:]],
        "low": [round(float(span["lo-80"][0]), 6) for span in spans],
        "high": [round(float(span["hi-80"][0]), 6) for span in spans],
    }


def main() -> None:
    random = Random(SEED)
    series = {name: told(drawn(random, *rest)) for name, *rest in KINDS}
    dying = drawn(random, 0.4, 1, 6)[:DIES]
    series["dying"] = told(dying + [0] * (BUCKETS - DIES))
    made = {"statsforecast": __version__, "seed": SEED, "series": series}
    lines = json.dumps(made, separators=(",", ":")).replace('},"', '},\n"').replace('],"', '],\n"')
    Path(__file__).with_name("tsb.json").write_text(lines + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
