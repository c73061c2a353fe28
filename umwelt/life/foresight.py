"""Some stretches of life as the agent imagined them beforehand, and as they then came."""

from pathlib import Path
from typing import Any

import jax
import numpy as np

from umwelt.core import spaces
from umwelt.core.contracts import World
from umwelt.evaluation.exam import Proctor
from umwelt.life.disk import room
from umwelt.life.examine import PROBE_KEY, repeated
from umwelt.worlds import sketch

WARM, AHEAD = 10, 30
"""Decisions before a stretch, and its length."""
TASKS, TRAJECTORIES = 3, 2
"""Tasks that are filmed, the first ones, and stretches of each."""
DIMENSIONS = 16
"""Observed numbers that are kept: those that move most."""


def film_foresight(
    proctor: Proctor, world: World, agent_state: Any, names: tuple[str, ...], path: Path, brief: bool = False
) -> bool:
    """Write what `umwelt.life.film.read_film` reads; False where there is no model. `brief`: one stretch without frames,
    for a life that was over sooner than the compiler is done with them."""
    names, each = (names[:1], 1) if brief else (names[:TASKS], TRAJECTORIES)
    film = proctor.film(jax.random.key(PROBE_KEY), agent_state, repeated(world, names, each), WARM, AHEAD)
    if film.expected is None or film.expected.observation is None:
        return False
    real, imagined = (
        np.stack([np.asarray(spaces.features(world.spec.observation, _at(value, tick))) for tick in range(AHEAD)])
        for value in (film.observation, film.expected.observation)
    )
    inside = np.asarray(film.inside)[..., None]
    kept = np.sort(np.argsort(-real.std(axis=(0, 1)), kind="stable")[:DIMENSIONS])
    shape = (AHEAD, len(names), each, len(kept))
    found = {"tasks": np.array(names), "dimensions": kept}
    for name, values in (("real", real), ("imagined", imagined)):
        found[name] = np.where(inside, values[..., kept], np.nan).astype(np.float32).reshape(shape).transpose(1, 2, 0, 3)
    frames = None if film.state is None or brief else _frames(world, film.state, len(names))
    if frames is not None:
        found["frames"] = frames
    draft = path.with_name(f".{path.name}")
    with room(path), draft.open("wb") as file:
        np.savez_compressed(file, **found)
    draft.replace(path)
    return True


def _frames(world: World, state: Any, tasks: int) -> np.ndarray | None:
    """Of the first stretch of each task: [tasks, AHEAD, 64, 64]."""
    found = sketch.bodies(world, state)
    if found is None:
        return None
    inner, *parts = found
    rows = jax.tree.map(lambda leaf: leaf[:, ::TRAJECTORIES].swapaxes(0, 1).reshape(tasks * AHEAD, *leaf.shape[2:]), parts)
    drawn = jax.jit(jax.vmap(lambda body, task: sketch.picture(sketch.drawing(inner, body, task))))(*rows)
    return np.asarray(drawn).reshape(tasks, AHEAD, sketch.SIDE, sketch.SIDE)


def _at(value: Any, tick: int) -> Any:
    return jax.tree.map(lambda leaf: leaf[tick], value)
