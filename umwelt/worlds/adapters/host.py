"""Host the simulators of a world: the stream convention, one-use tickets, seeds and events.

A hosted world is outside JAX and cannot go back. Its state is a *ticket* that is good for one step. Each episode
begins from a recorded seed and its actions are recorded, so that it can be replayed (`recall.py`). A simulator that
misbehaves ends its episode with an event; the life continues.
"""

from typing import Any

import jax
import numpy as np

from umwelt.core import BROKEN, FIRST, MID, TERMINATED, TRUNCATED, TimeStep, part, static, struct
from umwelt.worlds.adapters.crew import Inside, Workers
from umwelt.worlds.adapters.forms import ArrayForm
from umwelt.worlds.adapters.row import Outcome

ATTEMPTS = 3
"""How often an episode may fail to begin, each time from another seed, before that is an error."""


class StaleTicket(RuntimeError):
    """A step was asked of a hosted world from a state that it has already left."""


@struct
class Variant:
    """Which of a world's variants a row is in. index: int32 [B]."""

    index: Any


@struct
class Posed:
    """A variant, and what its simulator is given when an episode begins. index: int32 [B]. options: {name: [B, ...]}."""

    index: Any
    options: Any


@struct
class Ticket:
    """The state of a hosted world, good for one step. serial: int32 []. host: the world itself, hidden."""

    serial: Any
    host: Any = static()


@part
class Event:
    """Something that happened in a hosted world. name: world_raised, world_not_finite, ..., resume_mismatch."""

    name: str
    message: str
    row: int


class ActionLog:
    """The actions of one row since its episode began, [length, ...]."""

    def __init__(self, form: ArrayForm) -> None:
        self.buffer = np.empty((64, *form.shape), form.dtype)
        self.length = 0

    def add(self, action: Any) -> None:
        """Note one action."""
        if self.length == len(self.buffer):
            self.buffer = np.concatenate([self.buffer, np.empty_like(self.buffer)])
        self.buffer[self.length] = action
        self.length += 1

    @property
    def actions(self) -> np.ndarray:
        """What was noted, in order."""
        return self.buffer[: self.length]


class Host:
    """The part of a hosted world that changes.

    builds: task name -> how to build its simulator. forms: of observations and of actions. options: what an episode is
    given when it begins, {name: zeros [B, ...]}. record: the numbers that its steps name.
    """

    def __init__(
        self,
        builds: dict[str, dict[str, Any]],
        forms: tuple[ArrayForm, ArrayForm],
        batch: int,
        subprocesses: bool,
        options: dict[str, np.ndarray],
        record: tuple[str, ...] = (),
    ) -> None:
        self.names, self.batch, self.record = tuple(builds), batch, record
        self.observation_form, self.action_form = forms
        self.crew = (Workers if subprocesses else Inside)(tuple(builds.values()), self.observation_form, batch)
        self.serial, self.closed = 0, False
        self.seeds, self.variants, self.options = [0] * batch, [0] * batch, options
        self.logs = [ActionLog(self.action_form) for _ in range(batch)]
        self.events: list[Event] = []
        self.kinds = [TRUNCATED] * batch
        self.current = TimeStep(kind=None, observation=self.blank(), reward=None)

    def blank(self) -> np.ndarray:
        """Room for the observations [B, ...] of one step. Fresh each time: JAX may keep a view of it."""
        return np.zeros((self.batch, *self.observation_form.shape), self.observation_form.dtype)

    def ticket(self) -> Ticket:
        """The ticket for the next step."""
        return Ticket(serial=np.int32(self.serial), host=self)

    def check(self, ticket: Ticket) -> None:
        """Raise where `ticket` is not the one for the next step."""
        if self.closed:
            raise StaleTicket("this hosted world was closed: begin another with init or restore")
        if int(ticket.serial) != self.serial:
            raise StaleTicket(
                f"ticket {int(ticket.serial)} was already used, the world is at {self.serial}: a hosted world cannot"
                " go back, so use the state that the last step returned, or save it and restore it"
            )

    def advance(self, key: Any, action: Any, next_task: Any) -> TimeStep:
        """Take one decision in each row, or begin a new episode where the last one had ended."""
        beginning = [row for row in range(self.batch) if self.kinds[row] >= TERMINATED]
        variants = self._chosen(next_task, beginning) if beginning else {}
        action = self._read(action) if len(beginning) < self.batch else None
        words = _words(key) if beginning else []
        self.serial += 1
        calls: list[Any] = []
        for row in range(self.batch):
            if row in variants:
                self.seeds[row], self.variants[row] = _seed(words, row, 0), variants[row]
                self.logs[row].length = 0
                self._pose(row, next_task)
                calls.append((row, "begin", (self.seeds[row], variants[row], self.given(row))))
            else:
                assert action is not None
                self.logs[row].add(action[row])
                calls.append((row, "step", (action[row],)))
        outcomes = self.crew.ask(calls)
        for row in beginning:
            outcomes[row] = self._insist(row, words, outcomes[row])
        return self._taken(outcomes, variants)

    def given(self, row: int) -> dict[str, np.ndarray] | None:
        """What the simulator of a row is given when its episode begins; None for nothing."""
        return {name: leaf[row].copy() for name, leaf in self.options.items()} or None

    def _pose(self, row: int, task: Any) -> None:
        for name, kept in self.options.items():
            kept[row] = np.asarray(task.options[name])[row]

    def _taken(self, outcomes: list[Outcome], begun: Any) -> TimeStep:
        observation, reward = self.blank(), np.zeros(self.batch, np.float32)
        recorded = np.full((len(self.record), self.batch), np.nan, np.float32)
        for row, outcome in enumerate(outcomes):
            if outcome.fault:
                self._note(row, outcome.fault)
                observation[row], self.kinds[row] = self.current.observation[row], BROKEN
                continue
            observation[row], reward[row], recorded[:, row] = outcome.observation, outcome.reward, outcome.recorded
            ended = TERMINATED if outcome.terminated else TRUNCATED if outcome.truncated else MID
            self.kinds[row] = FIRST if row in begun else ended
        named = dict(zip(self.record, recorded, strict=True)) or None
        self.current = TimeStep(kind=np.array(self.kinds, np.int8), observation=observation, reward=reward, named=named)
        return self.current

    def _insist(self, row: int, words: list[int], outcome: Outcome) -> Outcome:
        """The outcome of beginning the row's episode, from other seeds where the first ones fail."""
        for attempt in range(1, ATTEMPTS + 1):
            if not outcome.fault:
                return outcome
            self._note(row, outcome.fault)
            if attempt < ATTEMPTS:
                self.seeds[row] = _seed(words, row, attempt)
                outcome = self.crew.ask([(row, "begin", (self.seeds[row], self.variants[row], self.given(row)))])[0]
        assert outcome.fault is not None
        name, message = outcome.fault
        raise RuntimeError(
            f"world {self.names[self.variants[row]]} failed to begin an episode {ATTEMPTS} times in row {row};"
            f" the last time, {name}: {message}"
        )

    def _note(self, row: int, fault: tuple[str, str]) -> None:
        name, message = fault
        self.events.append(Event(name=name, message=message, row=row))

    def _chosen(self, task: Any, rows: list[int]) -> dict[int, int]:
        chosen = np.asarray(task.index)
        if chosen.shape != (self.batch,):
            raise ValueError(f"task.index has shape {list(chosen.shape)}; give one index for each of {self.batch} rows")
        variants = {row: int(chosen[row]) for row in rows}
        wrong = [index for index in variants.values() if not 0 <= index < len(self.names)]
        if wrong:
            raise ValueError(f"task.index holds {wrong[0]}; this world has the variants 0 .. {len(self.names) - 1}")
        return variants

    def _read(self, action: Any) -> np.ndarray:
        action, form = np.asarray(action), self.action_form
        if action.shape != (self.batch, *form.shape):
            raise ValueError(f"action has shape {list(action.shape)}; give {[self.batch, *form.shape]}, as spec.action says")
        if form.choices:
            if action.dtype.kind not in "iu" or not all(0 <= choice < form.choices for choice in action.tolist()):
                raise ValueError(f"action is {action}; give whole numbers 0 .. {form.choices - 1}, as spec.action says")
            return action
        if action.dtype.kind == "f" and not np.isfinite(action).all():
            raise ValueError("action holds NaN or infinity: whatever chose it has diverged")
        return action if action.dtype == form.dtype else action.astype(form.dtype)


def _words(key: Any) -> list[int]:
    """The words of a key, typed or raw."""
    if jax.numpy.issubdtype(key.dtype, jax.dtypes.prng_key):
        key = jax.random.key_data(key)
    return [int(word) for word in np.asarray(key).reshape(-1)]


def _seed(words: list[int], row: int, attempt: int) -> int:
    """31 bits: what every simulator takes for a seed."""
    return int(np.random.SeedSequence([*words, row, attempt]).generate_state(1)[0] >> 1)
