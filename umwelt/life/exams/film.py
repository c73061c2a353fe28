"""Some stretches as the agent imagined them and as they then came: foresight.npz, which a life's end leaves behind."""

from pathlib import Path
from typing import Any

import jax
import numpy as np

from umwelt.core import spaces
from umwelt.core.contracts import World
from umwelt.evaluation.proctor import Film, Proctor
from umwelt.life.exams.examine import PROBE_KEY, repeated
from umwelt.life.saves.disk import room
from umwelt.worlds import sketch
from umwelt.worlds.posture import drawer

WARM, AHEAD = 10, 30
"""Decisions before a stretch, and its length."""
TASKS, TRAJECTORIES = 3, 2
"""Tasks that are filmed, the first ones, and stretches of each."""
DIMENSIONS = 16
"""Observed numbers that are kept: those that move most."""
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
        return {name: file[name] for name in COLUMNS if name in file.files}


def called(description: dict[str, Any], number: int) -> str:
    """What a number of the observation is called in a life's description; where it has no name, `observation NUMBER`."""
    names = description.get("observation_names")
    return str(names[number]) if isinstance(names, list) and number < len(names) else f"observation {number}"


def film_foresight(
    proctor: Proctor, world: World, agent_state: Any, panel: dict[str, Any], path: Path, brief: bool = False
) -> bool:
    """Write what `read_film` reads; False where there is no model.

    brief: without frames, for a life that ended sooner than they would compile.
    """
    panel = dict(list(panel.items())[:TASKS])  # in a brief life too, so that one compiled program films both
    film = proctor.film(jax.random.key(PROBE_KEY), agent_state, repeated(panel, TRAJECTORIES), WARM, AHEAD)
    if film.expected is None or film.expected.observation is None:
        return False
    real, imagined = (
        np.stack([np.asarray(spaces.features(world.spec.observation, _at(value, tick))) for tick in range(AHEAD)])
        for value in (film.observation, film.expected.observation)
    )
    inside = np.asarray(film.inside)[..., None]
    kept = np.sort(np.argsort(-real.std(axis=(0, 1)), kind="stable")[:DIMENSIONS])
    shape = (AHEAD, len(panel), TRAJECTORIES, len(kept))
    found = {"tasks": np.array(list(panel)), "dimensions": kept}
    for name, values in (("real", real), ("imagined", imagined)):
        found[name] = np.where(inside, values[..., kept], np.nan).astype(np.float32).reshape(shape).transpose(1, 2, 0, 3)
    if not brief:
        found |= _frames(world, film, panel)
    draft = path.with_name(f".{path.name}")
    with room(path), draft.open("wb") as file:
        np.savez_compressed(file, **found)
    draft.replace(path)
    return True


def _frames(world: World, film: Film, panel: dict[str, Any]) -> dict[str, np.ndarray]:
    """Of the first stretch of each task, as it came and as it was imagined: uint8 [tasks, AHEAD, H, W, 1 or 3].

    A world that its observation does not draw is drawn as it came alone; one that nothing draws has no frames.
    """

    def first(tree: Any) -> Any:
        """[AHEAD, tasks x TRAJECTORIES, ...] -> [tasks x AHEAD, ...], task by task."""
        return jax.tree.map(lambda leaf: leaf[:, ::TRAJECTORIES].swapaxes(0, 1).reshape(-1, *leaf.shape[2:]), tree)

    draw = drawer(world)
    if draw is not None and film.expected is not None:
        tasks = repeated(panel, AHEAD)
        seen = {"frames": film.observation, "imagined_frames": film.expected.observation}
        return {name: _whole(draw(first(rows), tasks), len(panel)) for name, rows in seen.items()}
    found = None if film.state is None else sketch.bodies(world, film.state)
    if found is None:
        return {}
    inner, *parts = found
    drawn = jax.jit(jax.vmap(lambda body, task: sketch.picture(sketch.drawing(inner, body, task))))(*first(parts))
    return {"frames": _whole(drawn, len(panel))}


def _whole(drawn: Any, tasks: int) -> np.ndarray:
    """Frames [tasks x AHEAD, H, W, .] as uint8 [tasks, AHEAD, ...], neither side longer than sketch.SIDE."""
    frames = np.clip(np.asarray(drawn), 0, 255).astype(np.uint8)
    apart = -(-max(frames.shape[1:3]) // sketch.SIDE)
    frames = frames[:, ::apart, ::apart]
    return frames.reshape(tasks, AHEAD, *frames.shape[1:])


def _at(value: Any, tick: int) -> Any:
    return jax.tree.map(lambda leaf: leaf[tick], value)
