"""Feedback that is one life for each seed: lived one after the other, and written down after each."""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from umwelt.life.compiled import keep_compiled

RESULTS = Path(__file__).parent / "results"


def write_json(path: Path, told: dict[str, Any]) -> None:
    """The file whole or not at all."""
    draft = path.with_suffix(".tmp")
    draft.write_text(json.dumps(told, indent=1) + "\n")
    draft.replace(path)


def each_seed(
    name: str,
    words: str,
    usual: int,
    lived: Callable[[int], dict[str, Any]],
    summary: Callable[[list[dict[str, Any]]], dict[str, Any]] | None = None,
) -> int:
    """The command line of `evidence.NAME`: `lived` for `--seeds` seeds, and what they come to, in results/NAME.json."""
    parser = argparse.ArgumentParser(description=words, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=usual)
    given = parser.parse_args()
    keep_compiled()
    rows: list[dict[str, Any]] = []
    for seed in range(given.seeds):
        rows.append(lived(seed))
        print(json.dumps(rows[-1]), flush=True)
        told = {"command": f"python -m evidence.{name} --seeds {len(rows)}", "date": time.strftime("%Y-%m-%d")}
        write_json(RESULTS / f"{name}.json", {**told, **(summary(rows) if summary else {}), "lives": rows})
    return 0
