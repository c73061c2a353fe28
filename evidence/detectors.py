"""How often a detector of change alarms where nothing changed, and how late it alarms where something did.

    python -m evidence.detectors

Streams of independent standard normal values; after a while their mean rises by so many deviations. For each detector:
values between two false alarms on the mean; and for each rise the values from it to the alarm, over the streams that
had not alarmed before. Exact runs of the sums that test reports are compared with closed forms in the tests; this is
what the settings that lives use come to. Results go to `evidence/results/detectors.json`.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from evidence.seeds import write_json
from umwelt.retention import Cusum, PageHinkley

RESULT = Path(__file__).parent / "results" / "detectors.json"
DETECTORS = {
    "Cusum(), the mean and the deviation learned from 100 values": Cusum(),
    "Cusum(warm=0), both known": Cusum(warm=0),
    "Cusum(threshold=12, warm=0), as `Experts` listens": Cusum(threshold=12.0, warm=0),
    "PageHinkley()": PageHinkley(),
    "PageHinkley(threshold=20)": PageHinkley(threshold=20.0),
}
RISES = (0.5, 1.0, 2.0, 3.0)
STREAMS, CALM, LATE = 1000, 20_000, 2_000
BEFORE = 300
"""Values before a rise."""


def alarms(detector: Any, values: jax.Array) -> jax.Array:
    """bool [T, S]: where a detector alarms in streams [T, S]."""

    def watch(state: Any, value: jax.Array) -> tuple[Any, jax.Array]:
        return detector.watch(state, value)

    return jax.jit(lambda: jax.lax.scan(watch, detector.init(values.shape[1:]), values)[1])()


def row(detector: Any, seed: int) -> dict[str, Any]:
    """The figures of one detector."""
    calm, rising = jax.random.split(jax.random.key(seed))
    found = np.asarray(alarms(detector, jax.random.normal(calm, (CALM, STREAMS))))
    told: dict[str, Any] = {"values_between_false_alarms": round(found.size / found.sum()) if found.any() else None}
    noise = jax.random.normal(rising, (BEFORE + LATE, STREAMS))
    after = jnp.arange(BEFORE + LATE)[:, None] >= BEFORE
    for rise in RISES:
        found = np.asarray(alarms(detector, noise + rise * after))
        late = found[BEFORE:, ~found[:BEFORE].any(axis=0)]
        noticed = late.any(axis=0)
        delay = late.argmax(axis=0)[noticed] + 1
        told[f"rise_{rise}"] = {
            "noticed": round(float(noticed.mean()), 3),
            "mean_delay": round(float(delay.mean()), 1) if delay.size else None,
            "of_95_percent": int(np.quantile(delay, 0.95)) if delay.size else None,
        }
    return told


def main() -> int:
    """All of them, to the screen and to the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    rows = {}
    for name, detector in DETECTORS.items():
        rows[name] = row(detector, given.seed)
        print(name, rows[name], flush=True)
    command = f"python -m evidence.detectors --seed {given.seed}"
    sizes = {"streams": STREAMS, "calm": CALM, "before": BEFORE, "after": LATE}
    write_json(RESULT, {"command": command, "date": time.strftime("%Y-%m-%d"), **sizes, "detectors": rows})
    return 0


if __name__ == "__main__":
    sys.exit(main())
