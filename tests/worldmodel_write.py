"""Two short episodes as stable-worldmodel's own writer writes them, in a zip file: what `WorldModel` must read.

    python -m venv build/peer && build/peer/bin/pip install stable-worldmodel==0.1.1
    build/peer/bin/python tests/worldmodel_write.py tests/worldmodel.zip

`tests/test_memory_worldmodel.py` reads the file, and makes the same numbers again by `numbers`. The first episode ends by
itself, and the second does not. As in `World.collect` a row is a step: the reward that came with what is seen, and the action
that was done there; the last action of an episode means nothing.
"""

import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

LENGTHS = (5, 3)


def numbers(episode: int, step: int) -> dict[str, np.ndarray]:
    """What stands in one row; every number occurs once."""
    at = np.float32(100 * episode + 10 * step)
    return {
        "observation": np.array([at + 1, at + 2], np.float32),
        "goal.place": np.array([[at + 3, at + 4]], np.float32),
        "action": np.array([at / 1000, -at / 1000, 0.5], np.float32),
        "reward": np.float32(at + 7),
        "terminated": np.bool_(episode == 0 and step == LENGTHS[0] - 1),
    }


def picture(episode: int, step: int) -> np.ndarray:
    """One picture, uint8 [16, 16, 3], of one grey."""
    return np.full((16, 16, 3), 40 + 30 * step + 100 * episode, np.uint8)


def main() -> int:
    """Write the table, and the zip file of it."""
    from stable_worldmodel.data.formats.lance import LanceWriter

    with tempfile.TemporaryDirectory() as folder:
        with LanceWriter(f"{folder}/reach.lance") as writer:
            writer.write_episodes(
                {
                    **{name: [numbers(episode, step)[name] for step in range(length)] for name in numbers(0, 0)},
                    "pixels": [picture(episode, step) for step in range(length)],
                }
                for episode, length in enumerate(LENGTHS)
            )
        with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
            for path in sorted(Path(folder).rglob("*")):
                if path.is_file():
                    file.write(path, path.relative_to(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
