"""One stretch of life as the agent imagined it beforehand, and as it then came."""

from pathlib import Path
from typing import Any

import jax
import numpy as np

from umwelt.core import spaces
from umwelt.core.contracts import World
from umwelt.evaluation.exam import Proctor
from umwelt.life.disk import room
from umwelt.life.examine import PROBE_KEY, repeated

WARM, AHEAD = 10, 30
"""Decisions before the stretch, and its length."""


def film_foresight(proctor: Proctor, world: World, agent_state: Any, name: str, path: Path) -> bool:
    """Write `real` and `imagined`, float32 [AHEAD, width], to an .npz file; False where there is no model."""
    tasks = repeated(world, (name,), 1)
    observations, expected, _ = proctor.film(jax.random.key(PROBE_KEY), agent_state, tasks, WARM, AHEAD)
    if expected is None or expected.observation is None:
        return False
    real, imagined = (
        np.stack([np.asarray(spaces.features(world.spec.observation, _at(value, tick)))[0] for tick in range(AHEAD)])
        for value in (observations, expected.observation)
    )
    draft = path.with_name(f".{path.name}")
    with room(path), draft.open("wb") as file:
        np.savez(file, real=real, imagined=imagined, task=name)
    draft.replace(path)
    return True


def _at(value: Any, tick: int) -> Any:
    return jax.tree.map(lambda leaf: leaf[tick], value)
