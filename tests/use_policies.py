"""Run exported policies where Umwelt cannot be imported: `python -I use_policies.py FOLDER`. It is no test itself.

Each line of the standard output is JSON: a name, and the actions and doubts as bytes in hexadecimal digits.
"""

import json
import sys
from importlib import import_module
from pathlib import Path

import numpy as np


class Absent:
    """Refuses to find Umwelt and what only Umwelt needs, wherever it is installed."""

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("umwelt", "optax", "orbax", "gymnasium", "tyro", "rich", "matplotlib", "flatbuffers"):
            raise ModuleNotFoundError(f"no module named {name!r} here", name=name)


def main(folder):
    sys.meta_path.insert(0, Absent())
    for path in sorted(folder.glob("*.zip")):
        sys.path.insert(0, str(path))
        policy = import_module(f"{path.stem}_policy").Policy(seed=5)
        given = np.load(folder / f"{path.stem}.npz")
        found = b""
        for observation, reward, ended in zip(given["observation"], given["reward"], given["ended"], strict=True):
            action = policy(observation)
            found += np.asarray(action).tobytes() + np.float32(policy.doubt).tobytes()
            policy.tell(reward, terminated=bool(ended))
        policy.reset()
        again = np.asarray(policy(given["observation"][0])).tobytes()
        print(json.dumps({"name": path.stem, "found": found.hex(), "again": found.startswith(again), "type": str(type(action))}))
    assert "umwelt" not in sys.modules


if __name__ == "__main__":
    main(Path(sys.argv[1]))
