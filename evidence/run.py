"""All slow evidence, one case after another; what stands in `evidence/results` already is kept.

make evidence
"""

import subprocess
import sys
from pathlib import Path

from evidence.agents import TABLES
from evidence.curves import CURVES
from evidence.solve import CASES

RESULTS = Path(__file__).parent / "results"


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
    for name in ("long_life", "foresight"):
        if not (RESULTS / f"{name}.json").exists():
            done = subprocess.run([sys.executable, "-m", f"evidence.{name}"])
            failed += [name] if done.returncode else []
    if not (RESULTS / "kill.json").exists():
        done = subprocess.run([sys.executable, "-m", "evidence.kill", "--kills", "20", "--out", str(RESULTS / "kill.json")])
        failed += ["kill"] if done.returncode else []
    print("not shown: " + ", ".join(failed) if failed else "all evidence stands in evidence/results")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
