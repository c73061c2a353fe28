"""All slow evidence, one case after another; what stands in `evidence/results` already is kept.

make evidence
"""

import json
import subprocess
import sys
from pathlib import Path

from evidence.agents import TABLES
from evidence.curves import CURVES
from evidence.solve import CASES

RESULTS = Path(__file__).parent / "results"


def lives_in(path: Path) -> int:
    """Count the lives in a result; 0 where there is none."""
    return len(json.loads(path.read_text())["lives"]) if path.exists() else 0


def main() -> int:
    """Run what is missing; the exit code says whether everything held."""
    failed = []
    for name in CASES:
        done = subprocess.run([sys.executable, "-m", "evidence.solve", name, "--out", str(RESULTS / f"{name}.json")])
        failed += [name] if done.returncode else []
    for name in CURVES:
        done = subprocess.run([sys.executable, "-m", "evidence.curves", name])
        failed += [name] if done.returncode else []
    for name in TABLES:
        # lives that stand in the table already are not lived again
        done = subprocess.run([sys.executable, "-m", "evidence.forgetting", name])
        failed += [f"forgetting {name}"] if done.returncode else []
    for name, seeds in (("long_life", 3), ("foresight", 5), ("minigrid", 3)):
        if lives_in(RESULTS / f"{name}.json") < seeds:
            done = subprocess.run([sys.executable, "-m", f"evidence.{name}", "--seeds", str(seeds)])
            failed += [name] if done.returncode else []
    for name, only in (("kill", ""), ("kill_changing", "changing")):
        if not (RESULTS / f"{name}.json").exists():
            words = ["--kills", "20", "--only", only, "--out", str(RESULTS / f"{name}.json")]
            done = subprocess.run([sys.executable, "-m", "evidence.kill", *words])
            failed += [name] if done.returncode else []
    print("not shown: " + ", ".join(failed) if failed else "all evidence stands in evidence/results")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
