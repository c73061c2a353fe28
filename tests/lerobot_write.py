"""Two short episodes as LeRobot's own package writes them, in a zip file: what `LeRobot` must read.

    python -m venv build/peer && build/peer/bin/pip install lerobot==0.3.3   # 0.4.4 for the layout v3.0
    build/peer/bin/python tests/lerobot_write.py tests/lerobot_v21.zip       # tests/lerobot_v30.zip

`tests/test_memory_lerobot.py` reads the files, and makes the same numbers again by `numbers`. The first episode ends by
itself, and the second does not. The video holds frames of one grey each, `grey`, which a codec keeps within a few levels.
"""

import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

LENGTHS, SIDE = (5, 3), 64
JOINTS, MOTORS = ("shoulder", "elbow"), ("shoulder_motor", "elbow_motor", "grip")


def numbers(episode: int, frame: int) -> dict[str, np.ndarray]:
    """What stands in one frame of numbers; every one of them occurs once."""
    at = np.float32(100 * episode + 10 * frame)
    return {
        "observation.state": np.array([at + 1, at + 2], np.float32),
        "observation.environment_state": np.array([[at + 3, at + 4], [at + 5, at + 6]], np.float32),
        "action": np.array([at / 1000, -at / 1000, 0.5], np.float32),
        "next.reward": np.array([at + 7], np.float32),
        "next.done": np.array([episode == 0 and frame == LENGTHS[0] - 1]),
    }


def grey(episode: int, frame: int) -> int:
    """The level of all pixels of a frame of the video."""
    return 40 + 30 * frame + 100 * episode


def features() -> dict[str, dict]:
    """The columns, as LeRobot describes them."""
    return {
        "observation.state": {"dtype": "float32", "shape": (2,), "names": list(JOINTS)},
        "observation.environment_state": {"dtype": "float32", "shape": (2, 2), "names": ["place", "axis"]},
        "observation.images.top": {"dtype": "video", "shape": (SIDE, SIDE, 3), "names": ["height", "width", "channels"]},
        "observation.images.hand": {"dtype": "image", "shape": (4, 6, 3), "names": ["height", "width", "channels"]},
        "action": {"dtype": "float32", "shape": (3,), "names": {"motors": list(MOTORS)}},
        "next.reward": {"dtype": "float32", "shape": (1,), "names": None},
        "next.done": {"dtype": "bool", "shape": (1,), "names": None},
    }


def hand(episode: int, frame: int) -> np.ndarray:
    """One picture, uint8 [4, 6, 3]."""
    return np.random.default_rng([episode, frame]).integers(0, 256, (4, 6, 3), np.uint8)


def main() -> int:
    """Write the data set, and the zip file of it."""
    from lerobot.datasets.lerobot_dataset import CODEBASE_VERSION, LeRobotDataset

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "reach"
        made = LeRobotDataset.create("umwelt/reach", fps=10, features=features(), root=root, use_videos=True)
        for episode, length in enumerate(LENGTHS):
            for frame in range(length):
                shown = {
                    **numbers(episode, frame),
                    "observation.images.top": np.full((SIDE, SIDE, 3), grey(episode, frame), np.uint8),
                    "observation.images.hand": hand(episode, frame),
                }
                if CODEBASE_VERSION == "v2.1":
                    made.add_frame(shown, task="reach")
                else:
                    made.add_frame({**shown, "task": "reach"})
            made.save_episode()
        if hasattr(made, "finalize"):
            made.finalize()
        with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
            for path in sorted(root.rglob("*")):
                if path.is_file():
                    file.write(path, path.relative_to(root))
    return 0


if __name__ == "__main__":
    sys.exit(main())
