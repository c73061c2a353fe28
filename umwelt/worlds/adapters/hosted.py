"""Hosted worlds: the stream convention, one-use tickets, seeds and events around simulators that act.

A hosted world lives outside JAX and cannot go back. Its state is a *ticket* that is good for one
step. Each episode begins from a recorded seed and its actions are recorded, so that it can be lived
again (`recall.py`). A world that misbehaves ends its episode with an event; the life goes on.
"""

from functools import lru_cache
from typing import Any, Protocol

import jax
import numpy as np

from umwelt.core import BROKEN, FIRST, MID, TERMINATED, TRUNCATED, Box, Discrete, TimeStep, part, static, struct
from umwelt.worlds.adapters.crew import Inside, Workers
from umwelt.worlds.adapters.forms import Form
from umwelt.worlds.adapters.row import Outcome
from umwelt.worlds.adapters.simulators import build

ATTEMPTS = 3
"""How often an episode may fail to begin, each time from another seed, before that is an error."""


class Recipes(Protocol):
    """What a hosted world's part tells about itself."""

    batch: int
    repeat: int
    subprocesses: bool

    def recipes(self) -> dict[str, dict[str, Any]]:
        """Task name -> the recipe of its simulator, the default first."""
        ...


class StaleTicket(RuntimeError):
    """A hosted world was asked to go on from a state that it has already left."""


@struct
class Variant:
    """Which of a world's variants a row lives in. index: int32 [B]."""

    index: Any


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


class Recording:
    """The actions of one row since its episode began, [length, ...]."""

    def __init__(self, form: Form) -> None:
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
    """The part of a hosted world that changes."""

    def __init__(self, world: Recipes) -> None:
        recipes = world.recipes()
        self.names = tuple(recipes)
        self.seen, self.done = survey(world)
        self.batch = world.batch
        self.crew = (Workers if world.subprocesses else Inside)(tuple(recipes.values()), self.seen, world.batch)
        self.serial, self.closed = 0, False
        self.seeds, self.variants = [0] * self.batch, [0] * self.batch
        self.recordings = [Recording(self.done) for _ in range(self.batch)]
        self.events: list[Event] = []
        self.kinds = [TRUNCATED] * self.batch
        self.current = TimeStep(kind=None, observation=self.blank(), reward=None)

    def blank(self) -> np.ndarray:
        """Room for the observations [B, ...] of one step. Fresh each time: JAX may keep a view of it."""
        return np.zeros((self.batch, *self.seen.shape), self.seen.dtype)

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
                " go back, so go on from the state that the last step returned, or save it and restore it"
            )

    def advance(self, key: Any, action: Any, next_task: Any) -> TimeStep:
        """One decision in each row, or a new episode where the last one had ended."""
        beginning = [row for row in range(self.batch) if self.kinds[row] >= TERMINATED]
        variants = self._chosen(next_task, beginning) if beginning else {}
        action = self._read(action) if len(beginning) < self.batch else None
        words = _words(key) if beginning else None
        self.serial += 1
        calls = []
        for row in range(self.batch):
            if row in variants:
                self.seeds[row], self.variants[row] = _seed(words, row, 0), variants[row]
                self.recordings[row].length = 0
                calls.append((row, "begin", (self.seeds[row], variants[row])))
            else:
                self.recordings[row].add(action[row])
                calls.append((row, "step", (action[row],)))
        outcomes = self.crew.ask(calls)
        for row in beginning:
            outcomes[row] = self._insist(row, words, outcomes[row])
        return self._taken(outcomes, variants)

    def _taken(self, outcomes: list[Outcome], begun: Any) -> TimeStep:
        observation, reward = self.blank(), np.zeros(self.batch, np.float32)
        for row, outcome in enumerate(outcomes):
            if outcome.fault:
                self._note(row, outcome)
                observation[row], self.kinds[row] = self.current.observation[row], BROKEN
                continue
            observation[row], reward[row] = outcome.observation, outcome.reward
            ended = TERMINATED if outcome.terminated else TRUNCATED if outcome.truncated else MID
            self.kinds[row] = FIRST if row in begun else ended
        self.current = TimeStep(kind=np.array(self.kinds, np.int8), observation=observation, reward=reward)
        return self.current

    def _insist(self, row: int, words: Any, outcome: Outcome) -> Outcome:
        """The outcome of beginning the row's episode, from other seeds where the first ones fail."""
        for attempt in range(1, ATTEMPTS + 1):
            if not outcome.fault:
                return outcome
            self._note(row, outcome)
            if attempt < ATTEMPTS:
                self.seeds[row] = _seed(words, row, attempt)
                outcome = self.crew.ask([(row, "begin", (self.seeds[row], self.variants[row]))])[0]
        name, message = outcome.fault
        raise RuntimeError(
            f"world {self.names[self.variants[row]]} failed to begin an episode {ATTEMPTS} times in row {row};"
            f" the last time, {name}: {message}"
        )

    def _note(self, row: int, outcome: Outcome) -> None:
        name, message = outcome.fault
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
        action = np.asarray(action)
        if action.shape != (self.batch, *self.done.shape):
            raise ValueError(f"action has shape {list(action.shape)}; give {[self.batch, *self.done.shape]}, as spec.action says")
        if self.done.choices:
            if action.dtype.kind not in "iu" or not all(0 <= choice < self.done.choices for choice in action.tolist()):
                raise ValueError(f"action is {action}; give whole numbers 0 .. {self.done.choices - 1}, as spec.action says")
            return action
        if action.dtype.kind == "f" and not np.isfinite(action).all():
            raise ValueError("action holds NaN or infinity: whatever chose it has diverged")
        return action if action.dtype == self.done.dtype else action.astype(self.done.dtype)


def init(world: Recipes, key: Any, task: Any) -> tuple[Ticket, TimeStep]:
    """Make the simulators and begin B episodes on `task`."""
    host = Host(world)
    try:
        step = host.advance(key, None, task)
    except BaseException:
        host.crew.close()
        raise
    return host.ticket(), step


def step(key: Any, ticket: Ticket, action: Any, next_task: Any) -> tuple[Ticket, TimeStep]:
    """One decision in each row. `ticket` is used up."""
    ticket.host.check(ticket)
    step = ticket.host.advance(key, action, next_task)
    return ticket.host.ticket(), step


def drain(ticket: Ticket) -> list[Event]:
    """What happened since this was last asked."""
    ticket.host.check(ticket)
    events, ticket.host.events = ticket.host.events, []
    return events


def render(ticket: Ticket) -> np.ndarray | None:
    """Row 0 as uint8 [H, W, 3], or None where the world shows nothing."""
    ticket.host.check(ticket)
    outcome = ticket.host.crew.ask([(0, "render", ())])[0]
    if outcome.fault:
        raise RuntimeError(f"the world could not be rendered: {outcome.fault[1]}")
    return outcome.observation


def close(ticket: Ticket) -> None:
    """End the simulators and their processes. Closing twice does nothing."""
    ticket.host.closed = True
    ticket.host.crew.close()


def tasks(world: Recipes) -> dict[str, Variant]:
    """One task for each variant, by name."""
    return {name: Variant(index=np.asarray(index, np.int32)) for index, name in enumerate(world.recipes())}


@lru_cache(maxsize=64)
def task_space(count: int) -> Variant:
    """The space of the tasks of a world with `count` variants. One object, so that equal worlds have equal specs."""
    return Variant(index=Discrete(n=count))


def space(form: Form) -> Box | Discrete:
    """A form as a space of the house."""
    if form.choices:
        return Discrete(n=form.choices)
    low, high = (_edge(edge, empty) for edge, empty in ((form.low, -np.inf), (form.high, np.inf)))
    return Box(shape=form.shape, low=low, high=high, dtype=form.dtype)


@lru_cache(maxsize=64)
def survey(world: Recipes) -> tuple[Form, Form]:
    """The forms of a world's observations and actions. Each variant is built once to compare them."""
    if world.batch < 1 or world.repeat < 1:
        raise ValueError(f"batch and repeat must be at least 1; they are {world.batch} and {world.repeat}")
    first = None
    for name, recipe in world.recipes().items():
        simulator = build(recipe)
        forms = (simulator.seen, simulator.done)
        simulator.close()
        first = first or (name, forms)
        for what, given, wanted in zip(("observations", "actions"), forms, first[1], strict=True):
            if not given.like(wanted):
                raise ValueError(
                    f"variants of one world need the same spaces: {name} has {what} of {given}, {first[0]} of {wanted}"
                    " (or other bounds); make them separate worlds"
                )
    return first[1]


def _edge(edge: Any, empty: float) -> float | tuple[float, ...]:
    flat = np.full(1, empty) if edge is None or not np.size(edge) else np.asarray(edge).reshape(-1)
    return float(flat[0]) if np.all(flat == flat[0]) else tuple(float(x) for x in flat)


def _words(key: Any) -> list[int]:
    """The words of a key, typed or raw."""
    if jax.dtypes.issubdtype(key.dtype, jax.dtypes.prng_key):
        key = jax.random.key_data(key)
    return [int(word) for word in np.asarray(key).reshape(-1)]


def _seed(words: list[int], row: int, attempt: int) -> int:
    """31 bits: what every simulator takes for a seed."""
    return int(np.random.SeedSequence([*words, row, attempt]).generate_state(1)[0] >> 1)
