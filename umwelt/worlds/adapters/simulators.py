"""Build simulators: what a row steps, with one interface for Gymnasium and dm_control.

A simulator has `reset(seed, options) -> raw`, `step(action) -> (raw, reward, terminated, truncated)`,
`encode(raw) -> array`, `render()`, `close()`, and two forms, `observation_form` and `action_form`, which say what
observations and actions look like from outside. `recorded` holds the last value in the present episode of each number that
it was asked to record, NaN before the first.

This file and `row.py` also run in worker processes, which must not load JAX: they import nothing of
the house but each other, and that by relative names, since a worker loads them under another package.
"""

import dataclasses
import difflib
import importlib
import json
import math
import os
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from .forms import ArrayForm, Misfit, actions, box, flag, named, number, numbered, observations, reported


def build(how: dict[str, Any]) -> Any:
    """Build a simulator: {"kind": "gymnasium" or "dm_control", and the arguments of its class}."""
    arguments = {name: value for name, value in how.items() if name != "kind"}
    return {"gymnasium": GymnasiumSimulator, "dm_control": DmControlSimulator}[how["kind"]](**arguments)


class GymnasiumSimulator:
    """A Gymnasium environment. target: an EnvSpec, `module:callable`, or `module:Id` where the module registers the id."""

    def __init__(self, *, target: Any, options: str, repeat: int, pictures: bool, record: tuple[str, ...] = ()) -> None:
        keywords = json.loads(options) | ({"render_mode": "rgb_array"} if pictures else {})
        self.environment = environment = make_gymnasium(target, keywords)
        self.repeat, self.pictures, self.record = repeat, pictures, record
        self.recorded = (math.nan,) * len(record)
        form, self.encode = observations(environment.observation_space)
        self.observation_form = dataclasses.replace(form, names=given_names(environment) or form.names)
        self.action_form, self._decode = actions(environment.action_space)

    def reset(self, seed: int, options: dict[str, Any] | None = None) -> Any:
        """The first raw observation of the episode that `seed` and the options begin."""
        answer = self.environment.reset(seed=seed, **({} if options is None else {"options": options}))
        if not isinstance(answer, tuple) or len(answer) != 2:
            raise Misfit("world_changed_type", f"reset must return (observation, info); it returned {named(answer)}")
        self.recorded = (math.nan,) * len(self.record)
        self._note(answer[1])
        return answer[0]

    def step(self, action: Any) -> tuple[Any, Any, Any, Any]:
        """(raw observation, summed reward, terminated, truncated) of `repeat` frames under one action."""
        action, total = self._decode(action), 0.0
        raw, terminated, truncated = None, False, False
        for _ in range(self.repeat):
            answer = self.environment.step(action)
            if not isinstance(answer, tuple) or len(answer) != 5:
                raise Misfit(
                    "world_changed_type",
                    f"step must return (observation, reward, terminated, truncated, info); it returned {named(answer)}",
                )
            raw, reward, terminated, truncated, info = answer
            self._note(info)
            total += number(reward)
            terminated, truncated = flag(terminated), flag(truncated)
            if terminated or truncated:
                break
        return raw, total, terminated, truncated

    def _note(self, info: Any) -> None:
        """Keep the newest value of each number that is recorded."""
        if not self.record:
            return
        if not isinstance(info, dict):
            raise Misfit("world_changed_type", f"info must be a dict where numbers of it are recorded; it is {named(info)}")
        pairs = zip(self.record, self.recorded, strict=True)
        self.recorded = tuple(reported(name, info[name]) if name in info else last for name, last in pairs)

    def render(self) -> np.ndarray | None:
        """The scene as uint8 [H, W, 3], where it was made with pictures."""
        return np.asarray(self.environment.render(), np.uint8) if self.pictures else None

    def close(self) -> None:
        """Let go of windows and memory."""
        self.environment.close()


class DmControlSimulator:
    """An environment of the DeepMind Control Suite."""

    recorded = ()

    def __init__(self, *, domain: str, task: str, options: str, repeat: int, pictures: bool) -> None:
        from dm_control import suite

        settings = json.loads(options)
        surroundings = settings.pop("environment_kwargs", None)
        # Some models are drawn when they are built: a fixed seed there, and the episode's seed at each reset,
        # make an episode depend on its own seed alone.
        self.environment = suite.load(domain, task, task_kwargs=settings | {"random": 0}, environment_kwargs=surroundings)
        self.repeat, self.pictures = repeat, pictures
        self.sizes = [math.prod(entry.shape) for entry in self.environment.observation_spec().values()]
        named = zip(self.environment.observation_spec(), self.sizes, strict=True)
        names = tuple(each for name, size in named for each in numbered(name, size))
        self.observation_form = ArrayForm(shape=(sum(self.sizes),), names=names)
        bounds = self.environment.action_spec()
        self.action_form = box(bounds.shape, bounds.minimum, bounds.maximum, "float32")

    def reset(self, seed: int, options: None = None) -> Any:
        """The first raw observation of the episode that `seed` begins."""
        self.environment.task.random.seed(seed)
        return self.environment.reset().observation

    def step(self, action: Any) -> tuple[Any, Any, Any, Any]:
        """(raw observation, summed reward, terminated, truncated) of `repeat` frames under one action."""
        action, total = np.minimum(np.maximum(action, self.action_form.low), self.action_form.high), 0.0
        answer: Any = None
        for _ in range(self.repeat):
            answer = self.environment.step(action)
            total += number(answer.reward)
            if answer.last():
                break
        over = answer.last()
        terminated = over and answer.discount == 0.0
        return answer.observation, total, terminated, over and not terminated

    def encode(self, raw: Any) -> np.ndarray:
        """The entries of an observation, in their order, as one float32 vector."""
        vector, start = np.empty(self.observation_form.shape, np.float32), 0
        if len(raw) != len(self.sizes):
            raise Misfit("world_changed_shape", f"the observation has {len(raw)} entries instead of {len(self.sizes)}")
        for (name, entry), size in zip(raw.items(), self.sizes, strict=True):
            if np.size(entry) != size:
                raise Misfit("world_changed_shape", f"its {name} has {np.size(entry)} numbers instead of {size}")
            vector[start : start + size] = np.ravel(entry)
            start += size
        return vector

    def render(self) -> np.ndarray | None:
        """The scene as uint8 [H, W, 3], where it was made with pictures."""
        return self.environment.physics.render(height=240, width=320, camera_id=0) if self.pictures else None

    def close(self) -> None:
        """Let go of windows and memory."""
        self.environment.close()


def make_gymnasium(target: Any, keywords: dict[str, Any]) -> Any:
    """The environment of an EnvSpec, of `module:callable`, or of `module:Id`."""
    import gymnasium

    maker = find_callable(target) if isinstance(target, str) else None
    if maker is None:
        spec = find_spec(target) if isinstance(target, str) else target
        # Its own checker is left out: a row is guarded already, and every microsecond is paid at each step.
        try:
            return gymnasium.make(spec, disable_env_checker=True, **keywords)
        except (ImportError, gymnasium.error.DependencyNotInstalled) as error:
            raise ImportError(_wanting(spec, error)) from error
    environment = maker(**keywords)
    missing = [n for n in ("reset", "step", "observation_space", "action_space") if not hasattr(environment, n)]
    if missing:
        raise TypeError(f"{target} returned {named(environment)}, which has no `{missing[0]}`: return a gymnasium.Env")
    return environment


def given_names(environment: Any) -> tuple[str, ...]:
    """The attribute `observation_names` of an environment, or of the first one inside it that has it; empty for none.

    It is a list or a tuple with a text for each number of the observation.
    """
    while environment is not None:
        given = getattr(environment, "observation_names", None)
        if isinstance(given, list | tuple):
            return tuple(given)
        environment = getattr(environment, "env", None)
    return ()


def find_spec(id: str) -> Any:
    """The EnvSpec of an id, or of `module:Id`, for which `find_callable` has imported the module.

    A ValueError that names the mend where there is none.
    """
    import gymnasium

    module, colon, plain = id.rpartition(":")
    try:
        return gymnasium.spec(plain)
    except gymnasium.error.Error as error:
        if newest := successor(plain):
            raise ValueError(f"id {id!r} does not exist: use {f'{module}{colon}{newest}'!r}") from error
        near = difflib.get_close_matches(plain, gymnasium.registry, n=3, cutoff=0.4)
        nearest = f"; the nearest are {', '.join(near)}" if near else ""
        raise ValueError(f"id {id!r} names no Gymnasium environment{nearest}") from error


def successor(id: str) -> str:
    """The newest id of the same name and of another version; empty where there is none."""
    import gymnasium

    name = id.rpartition("-v")[0] if "-v" in id else id
    newer = [spec for spec in gymnasium.registry.values() if spec.id.rpartition("-v")[0] == name and spec.id != id]
    return max(newer, key=lambda spec: spec.version or 0).id if newer else ""


def find_callable(target: str) -> Callable[..., Any] | None:
    """What `module:callable` names, the working directory included; None where it is an id after all.

    The module is imported, so that an id which it registers is known from then on.

    `.module:callable` is a file beside this one, which a worker finds under its own package.
    """
    module, colon, name = target.partition(":")
    if not colon:
        return None
    if module.startswith("."):
        return getattr(importlib.import_module(module, __package__), name)
    find_here()
    try:
        found = getattr(importlib.import_module(module), name, None)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        raise ModuleNotFoundError(
            f"{target!r}: there is no module {error.name!r}; install its package, or run where its file is", name=error.name
        ) from error
    return found if callable(found) else None


def find_here() -> None:
    """Let modules be found in the working directory."""
    if os.getcwd() not in sys.path and "" not in sys.path:
        sys.path.insert(0, os.getcwd())


def _wanting(spec: Any, error: Exception) -> str:
    """A sentence that says what to install, or to use, for the environment of an EnvSpec."""
    import gymnasium

    if str(spec.entry_point).startswith("gymnasium.envs.mujoco"):
        return f"world {spec.id} needs MuJoCo: pip install 'umwelt[mujoco]' ({error})"
    newest = successor(spec.id)
    if newest and (spec.version or 0) < (gymnasium.spec(newest).version or 0):
        return f"world {spec.id} cannot be made any more: use {newest} ({error})"
    return f"world {spec.id} needs a package that is not installed: {error}"
