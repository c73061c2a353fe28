"""Environments that the adapter tests live in, sound and faulty. Free of JAX: workers load this file."""

import os
import sys
from typing import ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces


class Walk(gymnasium.Env):
    """A point on a line: x is drawn from the seed, an action in [-1, 1] moves it, the reward is x.

    length: the episode is truncated after so many steps (0: drawn from the seed, 2 to 6).
    """

    observation_space = spaces.Box(-100.0, 100.0, (2,), np.float32)
    action_space = spaces.Box(-1.0, 1.0, (1,), np.float32)

    def __init__(self, length: int = 5, scale: float = 1.0) -> None:
        self.limit, self.scale = length, scale

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.x, self.age = self.np_random.normal(), 0
        self.length = self.limit or int(self.np_random.integers(2, 7))
        return self.look(), {}

    def look(self):
        return np.array([self.x, self.age], np.float32)

    def step(self, action):
        self.x += self.scale * float(action[0])
        self.age += 1
        return self.look(), self.x, False, self.age >= self.length, {}


class Faulty(Walk):
    """Misbehaves at step `at` in the way called `fault`; its episodes have 5 steps."""

    made = 0

    def __init__(self, fault: str = "raise", at: int = 3) -> None:
        super().__init__(length=5)
        self.fault, self.at = fault, at
        Faulty.made += 1

    def step(self, action):
        observation, reward, terminated, truncated, info = super().step(action)
        if self.age != self.at:
            return observation, reward, terminated, truncated, info
        if self.fault == "raise":
            raise ZeroDivisionError("the motor fell off")
        if self.fault == "die":
            os._exit(3)
        if self.fault == "four":
            return observation, reward, terminated, info
        observation = {
            "nan": np.array([np.nan, 0.0], np.float32),
            "infinite": np.array([np.inf, 0.0]),
            "overflow": np.array([1e300, 0.0]),
            "shape": np.zeros(3, np.float32),
            "none": None,
            "text": np.array(["a", "b"]),
            "ragged": [[1.0], [1.0, 2.0]],
            "outside": np.array([0.0, -100.5], np.float32),
            "noise": np.array([0.0, 100.0005], np.float32),
        }.get(self.fault, observation)
        reward = {"reward_nan": float("nan"), "reward_text": "much"}.get(self.fault, reward)
        terminated = None if self.fault == "flag" else terminated
        return observation, reward, terminated, truncated, info


class Stillborn(Walk):
    """Fails at the first `failures` resets of its process, and always from a seed that has failed."""

    count = 0
    refused: ClassVar = set()

    def __init__(self, failures: int = 0) -> None:
        super().__init__()
        self.failures = failures

    def reset(self, *, seed=None, options=None):
        Stillborn.count += 1
        if Stillborn.count <= self.failures or seed in Stillborn.refused:
            Stillborn.refused.add(seed)
            raise OSError("no such plant")
        return super().reset(seed=seed, options=options)


class Whim(Walk):
    """Not deterministic: it moves by NumPy's global generator."""

    def step(self, action):
        self.x += np.random.default_rng().normal()
        return super().step(action)


class Aimed(gymnasium.Env):
    """Shows the goal and the speed that its `reset` was given; its episodes have 2 steps."""

    observation_space = spaces.Box(-5.0, 5.0, (3,), np.float32)
    action_space = spaces.Box(-1.0, 1.0, (1,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.shown, self.age = np.append(options["goal"], options["speed"]).astype(np.float32), 0
        return self.shown, {}

    def step(self, action):
        self.age += 1
        return self.shown, 0.0, False, self.age >= 2, {}


class Reaching(gymnasium.Env):
    """A point that moves by its action, and is to come to a goal; its episodes have 3 steps."""

    place = spaces.Box(-5.0, 5.0, (2,), np.float32)
    observation_space = spaces.Dict({"observation": spaces.Discrete(4), "achieved_goal": place, "desired_goal": place})
    action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.goal, self.place, self.age = np.float32(options["goal"]), np.zeros(2, np.float32), 0
        return self.look(), {}

    def look(self):
        return {"observation": self.age, "achieved_goal": self.place, "desired_goal": self.goal}

    def step(self, action):
        self.place, self.age = self.place + action, self.age + 1
        near = float(np.abs(self.place - self.goal).max())
        return self.look(), -near, False, self.age >= 3, {}


class Overwriting(Walk):
    """Hands out the same array again and again."""

    def __init__(self) -> None:
        super().__init__()
        self.array = np.zeros(2, np.float32)

    def look(self):
        self.array[:] = self.x, self.age
        return self.array


class Report(Walk):
    """Observes whether JAX is loaded where it runs, and prints as it goes."""

    def look(self):
        print("a world that prints")
        return np.array([float("jax" in sys.modules), os.getpid() % 100], np.float32)


class Shaped(gymnasium.Env):
    """Shows a sample of the space called `seen`, and as reward the action that it got, as a number."""

    SPACES: ClassVar = {
        "dict": spaces.Dict({"b": spaces.Box(-2, 2, (2,)), "a": spaces.Discrete(3, start=5)}),
        "tuple": spaces.Tuple((spaces.Discrete(2), spaces.Box(0, 1, (2, 2), np.float64))),
        "discrete": spaces.Discrete(4),
        "multi": spaces.MultiDiscrete([2, 3]),
        "image": spaces.Box(0, 255, (4, 5, 3), np.uint8),
        "matrix": spaces.Box(-1, 1, (2, 3)),
        "sequence": spaces.Sequence(spaces.Discrete(2)),
        "actions_discrete": spaces.Discrete(3, start=-1),
        "actions_multi": spaces.MultiDiscrete([3, 4], start=[1, 2]),
        "actions_binary": spaces.MultiBinary(3),
        "actions_many": spaces.MultiDiscrete([100, 100]),
        "actions_tuple": spaces.Tuple((spaces.Discrete(2), spaces.Discrete(2))),
        "actions_box": spaces.Box(np.array([-1, -2], np.float32), np.array([1, 2], np.float32)),
        "actions_whole": spaces.Box(0, 7, (2,), np.int64),
    }

    def __init__(self, seen: str = "discrete", done: str = "actions_discrete") -> None:
        self.observation_space = spaces.flatten_space(spaces.Discrete(2)) if seen == "" else self.SPACES[seen]
        self.action_space = self.SPACES[done]

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.observation_space.seed(seed)
        return self.observation_space.sample(), {}

    def step(self, action):
        assert self.action_space.contains(action), f"{action!r} is not in {self.action_space}"
        digits = np.ravel(action).astype(float)
        return self.observation_space.sample(), float(digits @ 10.0 ** np.arange(len(digits))[::-1]), False, False, {}


def not_an_environment():
    """What a user might return by mistake."""
    return 3
