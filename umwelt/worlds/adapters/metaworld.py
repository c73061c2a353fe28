"""Make Meta-World's tasks for a robot's arm. The goal is seen, and drawn again for each episode.

    gymnasium(id=".metaworld:make", options='[{"task": "hammer-v3"}, {"task": "push-v3"}]', titles="hammer,push")

A trap: names of tasks and versions of rewards are numbered apart. "v3" is the name of the environments alone; their
rewards are Meta-World's "v2" or "v1", of which the former is the package's own choice and ours. Continual World was
published with the tasks *and* rewards of v1, whose observations differ too. So returns and success rates of v1, v2 and
v3 must not be compared with each other.

Like `simulators.py` this file also runs in worker processes, which must not load JAX.
"""

from typing import Any

import gymnasium
import numpy as np

WELD = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 5.0)
"""How the hand is held to what moves it: the numbers that Meta-World writes into MuJoCo's table of constraints."""


class Arm(gymnasium.Wrapper):
    """One task. Observations are float32 [39] without bounds, the same for every task. They hold the hand and the things
    on the table, both a step earlier, and the goal. Actions are four numbers in [-1, 1]."""

    def __init__(self, environment: Any, reward: str) -> None:
        super().__init__(environment)
        self.sparse = reward == "success"
        # each task has bounds of its own for its goal; tasks of one world must look alike
        self.observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (39,), np.float32)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        """The first moment of the episode that `seed` draws: Meta-World takes seeds by a method of its own."""
        if seed is not None:
            self.env.seed(seed)  # type: ignore[attr-defined]
        return self.env.reset(options=options)

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Meta-World's answer. Where success is the reward, it is 1 at the first success, which ends the episode."""
        seen, given, terminated, truncated, info = self.env.step(action)
        reward = float(given)
        if self.sparse:
            reward = float(info["success"])
            terminated = reward > 0
        return seen, reward, terminated, truncated and not terminated, info


def make(task: str = "push-v3", reward: str = "dense", limit: int = 500, **keywords: Any) -> Arm:
    """The environment of a task such as `push-v3`. reward: `dense`, Meta-World's own, of at most 10 a decision; or
    `success`, by which the mean return of episodes is the share that succeeds. limit: decisions of an episode, at most
    500."""
    try:
        from metaworld.env_dict import ALL_V3_ENVIRONMENTS
    except ImportError as error:
        raise ImportError(f"Meta-World's tasks need metaworld: pip install 'umwelt[metaworld]' ({error})") from error
    if task not in ALL_V3_ENVIRONMENTS:
        raise ValueError(f"task {task!r} is none of Meta-World's; known: {', '.join(sorted(ALL_V3_ENVIRONMENTS))}")
    if reward not in ("dense", "success"):
        raise ValueError(f"reward {reward!r} is not known; known: dense, success")
    environment = type("Mended", (_Welded, ALL_V3_ENVIRONMENTS[task]), {})(**keywords)
    environment.max_path_length = min(limit, environment.max_path_length)
    # what Meta-World's own makers do, but for the goal, which is drawn from the episode's seed
    environment._partially_observable = False
    vars(environment).pop("sawyer_observation_space", None)
    environment._freeze_rand_vec, environment._set_task_called, environment.seeded_rand_vec = False, True, True
    return Arm(environment, reward)


class _Welded:
    """Meta-World 3.0.0 writes eleven numbers for a weld; MuJoCo since 3.4 or so has room for twelve, and refuses."""

    def reset_mocap_welds(self) -> None:
        """Write the eleven, and leave what else there is."""
        import mujoco

        welds = np.flatnonzero(self.model.eq_type == mujoco.mjtEq.mjEQ_WELD)  # type: ignore[attr-defined]
        self.model.eq_data[welds, : len(WELD)] = WELD  # type: ignore[attr-defined]
