"""The picture in the README: what fine-tuning keeps of six wishes, beside what rehearsal keeps.

    python -m evidence.figure

Drawn from `evidence/results/forgetting_wishes.json`, which `python -m evidence.forgetting wishes` makes.
"""

import json
from pathlib import Path

from umwelt.report.matrix import draw_matrices

RESULT = Path(__file__).parent / "results/forgetting_wishes.json"
NAMES = {"last": "learns from its last 230 moments", "rehearsal": "rehearses its whole life"}


def main() -> int:
    """Draw it."""
    agents = json.loads(RESULT.read_text())["agents"]
    shown = {words: agents[name]["matrices"] for name, words in NAMES.items()}
    print(draw_matrices(shown, Path("docs/retention.png"), title="six wishes in one world, one after the other"))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
