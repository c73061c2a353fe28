"""Show a pure world as a Gymnasium environment."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.registration import EnvSpec

from umwelt.core import TERMINATED, TRUNCATED, spaces
from umwelt.gymnasium.ids import IDS, MADE, MADE_IN_ROWS
from umwelt.gymnasium.in_play import Played, checked_actions, checked_mode, modes, plain_space, shown, world_named

FRAMES = 20
"""Pictures of a second, where a video is made of them."""


class Face(gymnasium.Env[Any, Any]):
    """A pure world of one row, played one decision at a time.

    `reset(seed=, options={"task": NAME})` begins an episode on a task of the world; it is the default task where none is
    named. A task may also be given as a value of the world's task space. `info["task"]` says which one is played. The
    time limit of the world truncates.
    """

    def __init__(self, world: Any, task: str = "", render_mode: str | None = None) -> None:
        self.world = world
        self.render_mode = checked_mode(world, render_mode)
        self.metadata = {"render_modes": list(modes(world)), "render_fps": FRAMES}
        self.observation_space = spaces.to_gymnasium(world.spec.observation)
        self.action_space = spaces.to_gymnasium(plain_space(world.spec.action))
        self.played = Played(world, task)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode."""
        super().reset(seed=seed)
        step = self.played.begin(self.np_random, options)
        return shown(self.world.spec.observation, step.observation, 0), self._info()

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take one decision."""
        before = self.played.step
        if before is None or int(before.kind[0]) >= TERMINATED:
            raise gymnasium.error.ResetNeeded("the episode has ended or none has begun: call reset before step")
        step = self.played.onward(checked_actions(self.world.spec.action, action)[None])
        kind = int(step.kind[0])
        observation = shown(self.world.spec.observation, step.observation, 0)
        return observation, float(step.reward[0]), kind == TERMINATED, kind >= TRUNCATED, self._info()

    def render(self) -> np.ndarray | None:
        """The scene as uint8 [H, W, 3], or None without a render mode."""
        if self.render_mode is None:
            return None
        if self.played.step is None:
            raise gymnasium.error.ResetNeeded("no episode has begun: call reset before render")
        return self.played.frames()[0]

    def _info(self) -> dict[str, Any]:
        name = self.played.names[0]
        return {} if name is None else {"task": name}


def make(name: Any, *, task: str = "", announced: bool = False, render_mode: str | None = None, **fields: Any) -> Face:
    """Make a Gymnasium environment of a pure world.

    name: a built-in world, a stream of pure tasks such as `physics` or `wishes:long`, or a pure world itself. task: what
    an episode is begun on where `reset` names nothing. announced: show the task in the observation. fields: of the
    built-in world, such as time_limit=50.
    """
    world, first = world_named(name, announced, fields)
    face = Face(world, task or first, render_mode)
    face.spec = spec_of(name, {"task": task, "announced": announced, "render_mode": render_mode, **fields})
    return face


def spec_of(name: Any, keywords: dict[str, Any]) -> EnvSpec:
    """The spec that makes the same environment again."""
    id = next((id for id, known in IDS.items() if known == name), "umwelt/World-v0")
    return EnvSpec(id, MADE, kwargs={"name": name, **keywords}, vector_entry_point=MADE_IN_ROWS)
