"""Show a pure world of many rows as a vector of Gymnasium environments."""

from typing import Any

import numpy as np
from gymnasium import error
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from umwelt.core import TERMINATED, TRUNCATED, spaces
from umwelt.gymnasium.face import FRAMES, spec_of
from umwelt.gymnasium.in_play import Played, checked_actions, checked_mode, modes, plain_space, shown, world_named
from umwelt.worlds import with_batch


class VectorFace(VectorEnv[Any, Any, np.ndarray]):
    """A pure world of many rows, all stepped in one compiled call.

    A row whose episode has ended ignores its next action and shows the first observation of its next episode (NEXT_STEP).
    `reset(options={"task": ...})` takes one task for all rows or a list of one for each; rows keep theirs until the next
    `reset`. All rows draw from one key, so a row does not repeat what one environment shows from the same seed.
    """

    def __init__(self, world: Any, task: str = "", render_mode: str | None = None) -> None:
        self.world, self.num_envs = world, world.spec.batch
        self.render_mode = checked_mode(world, render_mode)
        self.metadata = {
            "render_modes": list(modes(world)), "render_fps": FRAMES, "autoreset_mode": AutoresetMode.NEXT_STEP,
        }  # fmt: skip
        self.single_observation_space = spaces.to_gymnasium(world.spec.observation)
        self.single_action_space = spaces.to_gymnasium(plain_space(world.spec.action))
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self.played = Played(world, task)

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode in every row. seed: one number."""
        if seed is not None and not isinstance(seed, int | np.integer):
            raise ValueError(f"seed is {seed!r}; give one number, from which all rows draw")
        super().reset(seed=None if seed is None else int(seed), options=options)
        step = self.played.begin(self.np_random, options)
        return shown(self.world.spec.observation, step.observation), self._infos()

    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Take one decision in every row."""
        if self.played.step is None:
            raise error.ResetNeeded("no episode has begun: call reset before step")
        step = self.played.onward(checked_actions(self.world.spec.action, actions, self.num_envs))
        kind, reward = np.asarray(step.kind), np.array(step.reward, np.float64)
        return shown(self.world.spec.observation, step.observation), reward, kind == TERMINATED, kind >= TRUNCATED, self._infos()

    def render(self) -> tuple[np.ndarray, ...] | None:
        """The scene of each row as uint8 [H, W, 3], or None without a render mode."""
        if self.render_mode is None:
            return None
        if self.played.step is None:
            raise error.ResetNeeded("no episode has begun: call reset before render")
        return tuple(self.played.frames())

    def _infos(self) -> dict[str, Any]:
        names = np.array(self.played.names, object)
        return {"task": names, "_task": names != np.array(None)}


def make_vec(
    name: Any, *, num_envs: int = 1, task: str = "", announced: bool = False, render_mode: str | None = None, **fields: Any
) -> VectorFace:
    """Make a vector of Gymnasium environments of a pure world; arguments are those of `make`."""
    if num_envs < 1:
        raise ValueError(f"num_envs={num_envs} must be at least 1")
    world, first = world_named(name, announced, fields)
    vector = VectorFace(with_batch(world, num_envs), task or first, render_mode)
    vector.spec = spec_of(name, {"task": task, "announced": announced, "render_mode": render_mode, **fields})
    return vector
