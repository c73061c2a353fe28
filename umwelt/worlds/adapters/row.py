"""Guard a row: whatever its simulator does, the answer is an outcome, never an exception.

Like `simulators.py` this file also runs in worker processes, so it imports relatively.
"""

import math
import os
import traceback
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .forms import ArrayForm, Misfit
from .simulators import build

SLACK = 1e-5
"""How far beyond a bound an observation may lie, relative to the bound: float noise is no fault."""

FRAMES = 4
"""How many calls of a traceback an event shows, the innermost ones."""
LONGEST_TEXT, LONGEST_ACTION = 160, 60
"""Characters of an exception's text, and of an action, in an event."""


class Outcome(NamedTuple):
    """What one call to a row brought. fault: (event name, message), and then observation is None. recorded: the last value in
    the episode of each number that is recorded."""

    observation: Any
    reward: float = 0.0
    terminated: bool = False
    truncated: bool = False
    fault: tuple[str, str] | None = None
    recorded: tuple[float, ...] = ()


class Row:
    """One row of a hosted world: a simulator for each variant, made when first needed."""

    def __init__(self, builds: Sequence[dict[str, Any]], form: ArrayForm) -> None:
        self.builds = builds
        self.shape, self.names = form.shape, form.names
        self.made: dict[int, Any] = {}
        self.now, self.age = -1, 0
        self.low, self.high = _room(form)
        self.bounded = form.dtype == "float32" and bool(np.isfinite([self.low, self.high]).any())

    def begin(self, seed: int, variant: int, options: dict[str, Any] | None = None) -> Outcome:
        """Begin the episode of `seed` and the options."""
        self.now, self.age = variant, 0
        try:
            simulator = self.made.get(variant)
            if simulator is None:
                simulator = self.made[variant] = build(self.builds[variant])
            return self._outcome(simulator, simulator.reset(seed, options), 0.0, False, False)
        except Exception as error:
            return self._failed("reset", error)

    def step(self, action: Any) -> Outcome:
        """One decision."""
        simulator = self.made[self.now]
        self.age += 1
        try:
            return self._outcome(simulator, *simulator.step(action))
        except Exception as error:
            return self._failed("step", error, f", in step {self.age} with action {_short(action)}")

    def replay(self, seed: int, variant: int, options: dict[str, Any] | None, actions: np.ndarray) -> Outcome:
        """Replay an episode: its last outcome, or the first that ends it."""
        outcome = self.begin(seed, variant, options)
        for action in actions:
            if outcome.fault or outcome.terminated or outcome.truncated:
                break
            outcome = self.step(action)
        return outcome

    def render(self) -> Outcome:
        """The scene as uint8 [H, W, 3], or None, in the place of the observation."""
        try:
            return Outcome(self.made[self.now].render() if self.now in self.made else None)
        except Exception as error:
            return Outcome(None, fault=("world_raised", f"render {_raised(error)}{_frames(error)}"))

    def close(self) -> None:
        """Close every simulator."""
        for simulator in self.made.values():
            simulator.close()
        self.made = {}

    def _outcome(self, simulator: Any, raw: Any, reward: float, terminated: bool, truncated: bool) -> Outcome:
        observation = simulator.encode(raw)
        if observation.shape != self.shape:
            message = f"the observation has shape {list(observation.shape)} instead of {list(self.shape)}"
            raise Misfit("world_changed_shape", message)
        if not math.isfinite(reward):
            raise Misfit("world_not_finite", f"the reward is {reward}")
        if not np.isfinite(observation).all():
            raise Misfit("world_not_finite", "the observation holds NaN or infinity")
        if self.bounded and ((observation < self.low).any() or (observation > self.high).any()):
            raise Misfit("world_left_space", self._where(observation))
        return Outcome(observation, reward, terminated, truncated, recorded=simulator.recorded)

    def _where(self, observation: np.ndarray) -> str:
        entry = int(np.argmax((observation < self.low) | (observation > self.high)))
        value, low, high = (edge.reshape(-1)[entry] for edge in (observation, self.low, self.high))
        name = f" ({self.names[entry]})" if len(self.names) == observation.size else ""
        return f"entry {entry}{name} of the observation is {value:g}, outside its space, {low:g} to {high:g}"

    def _failed(self, call: str, error: Exception, when: str = "") -> Outcome:
        if isinstance(error, Misfit):
            return Outcome(None, fault=(error.name, str(error) + when))
        # What raised may be in any state, so the next episode gets a new one.
        broken = self.made.pop(self.now, None)
        message = f"{call} {_raised(error)}{when}{_frames(error)}"
        if broken is not None:
            try:
                broken.close()
            except Exception as second:
                message += f" (and its close {_raised(second)})"
        return Outcome(None, fault=("world_raised", message))


def _raised(error: Exception) -> str:
    """What was raised, on one line."""
    return f"raised {type(error).__name__}: {_cut(' '.join(str(error).split()), LONGEST_TEXT)}"


def _frames(error: Exception) -> str:
    """The innermost calls that led to an error, outside this package: `file:line in function`, the last one innermost."""
    here = os.path.dirname(os.path.abspath(__file__))
    calls = traceback.extract_tb(error.__traceback__)
    outside = [call for call in calls if os.path.dirname(os.path.abspath(call.filename)) != here][-FRAMES:]
    shown = (f"{os.path.basename(call.filename)}:{call.lineno} in {call.name}" for call in outside)
    return f" ({' > '.join(shown)})" if outside else ""


def _short(action: Any) -> str:
    """An action on one line, with few digits."""
    array = np.asarray(action)
    if array.ndim == 0:
        return f"{array.item():g}" if array.dtype.kind == "f" else str(array.item())
    # a long one is cut anyway, and need not be written in full before
    numbers = ", ".join(f"{number:g}" for number in array.reshape(-1)[:LONGEST_ACTION].tolist())
    return _cut(f"[{numbers}]", LONGEST_ACTION)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 4] + " ..."


def _room(form: ArrayForm) -> tuple[np.ndarray, np.ndarray]:
    """The bounds of observations, widened by the slack; infinite where there are none."""
    if form.low is None:
        return np.full(form.shape, -np.inf, np.float32), np.full(form.shape, np.inf, np.float32)
    low, high = np.asarray(form.low, np.float32), np.asarray(form.high, np.float32)
    lower = low - SLACK * np.maximum(1.0, np.abs(np.where(np.isfinite(low), low, 0.0)))
    upper = high + SLACK * np.maximum(1.0, np.abs(np.where(np.isfinite(high), high, 0.0)))
    return lower.astype(np.float32), upper.astype(np.float32)
