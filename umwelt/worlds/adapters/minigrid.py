"""Make MiniGrid levels that a small network can read: one number for each kind of thing in each cell of the view.

    gymnasium(id=".minigrid:make", options='[{"level": "doorkey"}, {"level": "lava"}]', titles="doorkey,lava")

Like `simulators.py` this file also runs in worker processes, which must not load JAX.
"""

from typing import Any

import gymnasium
import numpy as np

THINGS = ("unseen", "wall", "goal", "lava", "key", "open door", "closed door", "locked door")
"""What is shown of a cell; one that is seen and holds none of these is free. Colours are left out: no level here has two
of a kind."""
VIEW = 7
"""Cells of the view in each direction; the agent stands in the middle of its last row, and sees there what it carries."""


class Grid(gymnasium.Wrapper):
    """A MiniGrid environment whose observation is uint8 [392 + 4], of zeros and ones: THINGS of the 7 x 7 cells, and
    which way the agent looks. With `position` follow two times `width`: its column and its row."""

    def __init__(self, environment: Any, position: bool = False) -> None:
        super().__init__(environment)
        self.position, self.table = position, _table()
        self._plain: Any = environment.unwrapped
        self.size = VIEW * VIEW * len(THINGS) + 4 + 2 * position * environment.unwrapped.width
        self.observation_space = gymnasium.spaces.Box(0, 1, (self.size,), np.uint8)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        """The first view of the level that `seed` draws."""
        seen, info = self.env.reset(seed=seed, options=options)
        return self.look(seen), info

    def step(self, action: Any) -> tuple[np.ndarray, Any, bool, bool, dict[str, Any]]:
        """What MiniGrid answers, with the view as a vector; its rewards as they are."""
        seen, reward, terminated, truncated, info = self.env.step(action)
        return self.look(seen), reward, terminated, truncated, info

    def look(self, seen: dict[str, Any]) -> np.ndarray:
        """The vector of one of MiniGrid's own observations."""
        image, vector, plain = seen["image"], np.zeros(self.size, np.uint8), self._plain
        view = VIEW * VIEW * len(THINGS)
        vector[:view] = self.table[image[..., 0], image[..., 2]].reshape(-1)
        vector[view + seen["direction"]] = 1
        if self.position:
            column, row = plain.agent_pos
            vector[[view + 4 + column, view + 4 + plain.width + row]] = 1
        return vector


def make(level: str = "doorkey", size: int = 9, limit: int = 100, goal: tuple[int, int] | None = None, **keywords: Any) -> Grid:
    """The environment of a level: doorkey, lava, simple or rooms. limit: decisions of an episode. goal: the column and
    row of the goal, in rooms alone, which are always 19 x 19; there the agent also sees its position."""
    try:
        from minigrid.core.world_object import Lava, Wall
        from minigrid.envs.crossing import CrossingEnv
        from minigrid.envs.doorkey import DoorKeyEnv
        from minigrid.envs.fourrooms import FourRoomsEnv
    except ImportError as error:
        raise ImportError(f"MiniGrid's levels need minigrid: pip install 'umwelt[minigrid]' ({error})") from error
    if level == "rooms":
        return Grid(FourRoomsEnv(goal_pos=goal and tuple(goal), max_steps=limit, **keywords), position=True)
    if level == "doorkey":
        return Grid(DoorKeyEnv(size=size, max_steps=limit, **keywords))
    if level not in ("lava", "simple"):
        raise ValueError(f"level {level!r} is not known; known: doorkey, lava, simple, rooms")
    obstacle = {"lava": Lava, "simple": Wall}[level]
    return Grid(CrossingEnv(size=size, num_crossings=1, obstacle_type=obstacle, max_steps=limit, **keywords))


def _table() -> np.ndarray:
    """[objects, states, THINGS]: from MiniGrid's numbers of an object and its state to zeros and ones."""
    from minigrid.core.constants import OBJECT_TO_IDX, STATE_TO_IDX

    table = np.zeros((len(OBJECT_TO_IDX), len(STATE_TO_IDX), len(THINGS)), np.uint8)
    for number, thing in enumerate(THINGS):
        state, _, kind = thing.rpartition(" ")
        table[OBJECT_TO_IDX[kind], STATE_TO_IDX[state] if state else slice(None), number] = 1
    return table
