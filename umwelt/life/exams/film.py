"""The file that a life's end leaves behind, foresight.npz: some stretches as they were imagined and as they came."""

from pathlib import Path

import numpy as np

COLUMNS = ("tasks", "dimensions", "real", "imagined", "frames", "imagined_frames")


def read_film(path: Path) -> dict[str, np.ndarray]:
    """What `film_foresight` wrote; {} where a life has not come to its end, or has no model.

    tasks: [K] names. dimensions: int [D], which observed numbers were kept. real, imagined: float32 [K, stretches, ahead,
    D], NaN after an episode's end. frames, imagined_frames: uint8 [K, ahead, H, W, 1 or 3] of the first stretch of each
    task; absent where the world cannot be drawn, or not from what is observed.
    """
    if not path.exists():
        return {}
    with np.load(path) as file:
        film = {name: file[name] for name in file.files}
    if "task" in film:  # an earlier version filmed one stretch of one task
        whole = {name: film[name][None, None] for name in ("real", "imagined")}
        film = {"tasks": np.array([str(film["task"])]), "dimensions": np.arange(film["real"].shape[-1]), **whole}
    if film.get("frames", np.zeros(0)).ndim == 4:  # an earlier version had no axis for colours
        film["frames"] = film["frames"][..., None]
    return {name: film[name] for name in COLUMNS if name in film}
