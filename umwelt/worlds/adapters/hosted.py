"""Make a world of simulators: one part for every adapter, which only says how its simulators are built."""

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol

import numpy as np

from umwelt.core import Box, Discrete, TimeStep, WorldSpec, part, spaces
from umwelt.worlds.adapters import recall
from umwelt.worlds.adapters.forms import ArrayForm
from umwelt.worlds.adapters.host import Event, Host, Posed, Ticket, Variant
from umwelt.worlds.adapters.simulators import build

TAKEN = (
    *("seed", "row", "begin", "end", "task", "return", "length", "end_kind", "surprise", "doubt"),
    *("clock", "label", "returns", "mean", "low", "high", "model_error"),
)
"""Columns of the tables that recorded numbers stand in beside them."""


class Simulator(Protocol):
    """What an adapter says about its simulators. A part, so that it can be written into a life's folder."""

    @property
    def name(self) -> str:
        """What the world is called."""
        ...

    @property
    def takes_options(self) -> bool:
        """Whether its `reset` takes options, such as a goal."""
        ...

    @property
    def has_info(self) -> bool:
        """Whether its steps come with an `info`, whose numbers can be recorded."""
        ...

    def builds(self) -> dict[str, dict[str, Any]]:
        """Task name -> how to build its simulator (see `simulators.build`), the default first."""
        ...


@part
class Hosted:
    """A world in plain Python: each variant of its simulator is a task."""

    simulator: Simulator
    """What is simulated."""
    batch: int = 1
    """Episodes in parallel."""
    repeat: int = 1
    """Frames of the simulator for one decision; their rewards are summed."""
    subprocesses: bool = False
    """Run each row in a process of its own."""
    pictures: bool = False
    """Make the simulator able to render."""
    posed: str = ""
    """What a task sets when an episode begins, as JSON: {"goal": {"low": [0, 0], "high": [9, 9], "default": [1, 1]}} is
    passed on as `reset(options={"goal": ...})`. Empty for nothing."""
    record: tuple[str, ...] = ()
    """Numbers of the simulator's `info` that are kept for each episode, such as success: the last value that the episode
    reports. True is 1 and False is 0; an episode that reports none, or breaks, has none. No agent sees them."""

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and names."""
        observations, actions = survey(self)
        return WorldSpec(
            name=self.simulator.name,
            observation=_space(observations),
            action=_space(actions),
            task=_task_space(len(self.simulator.builds()), self.posed),
            batch=self.batch,
            hosted=True,
            repeat=self.repeat,
        )

    def tasks(self) -> dict[str, Variant | Posed]:
        """One task for each variant, the first one is the default; what is posed has its default in each."""
        given = _defaults(self.posed)
        named = enumerate(self.simulator.builds())
        if not given:
            return {name: Variant(index=np.asarray(index, np.int32)) for index, name in named}
        return {name: Posed(index=np.asarray(index, np.int32), options=given) for index, name in named}

    def init(self, key: Any, task: Variant | Posed) -> tuple[Ticket, TimeStep]:
        """Make the simulators and begin B episodes on `task`."""
        host = self.host()
        try:
            step = host.advance(key, None, task)
        except BaseException:
            host.crew.close()
            raise
        return host.ticket(), step

    def step(self, key: Any, state: Ticket, action: Any, next_task: Variant | Posed) -> tuple[Ticket, TimeStep]:
        """Take one decision in each row; the ticket is used up."""
        state.host.check(state)
        step = state.host.advance(key, action, next_task)
        return state.host.ticket(), step

    def observation_names(self) -> tuple[str, ...]:
        """What each number is called: the environment's `observation_names`, or the entries of a dict; empty for neither."""
        return survey(self)[0].names

    @property
    def achieved(self) -> Callable[[Any], Any] | None:
        """The goal that observations [N, W] achieve, float32 [N, G]; None unless the environment shows an `achieved_goal`."""
        numbers = survey(self)[0].achieved
        return (lambda observation: observation[:, slice(*numbers)]) if numbers else None

    def save(self, ticket: Ticket) -> dict[str, np.ndarray]:
        """What it takes to be here again, as plain arrays."""
        return recall.save(ticket)

    def restore(self, saved: dict[str, Any]) -> tuple[Ticket, TimeStep]:
        """The saved world again, by a replay of its episodes."""
        return recall.restore(self.host(), saved)

    def drain(self, ticket: Ticket) -> list[Event]:
        """The events since the last call."""
        ticket.host.check(ticket)
        events, ticket.host.events = ticket.host.events, []
        return events

    def render(self, ticket: Ticket) -> np.ndarray | None:
        """Row 0 as uint8 [H, W, 3], or None without `pictures`."""
        ticket.host.check(ticket)
        outcome = ticket.host.crew.ask([(0, "render", ())])[0]
        if outcome.fault:
            raise RuntimeError(f"the world could not be rendered: {outcome.fault[1]}")
        return outcome.observation

    def close(self, ticket: Ticket) -> None:
        """End the simulators and their processes. Closing twice does nothing."""
        ticket.host.closed = True
        ticket.host.crew.close()

    def host(self) -> Host:
        """Simulators that no episode has begun in yet."""
        options = {name: np.repeat(value[None], self.batch, 0) for name, value in _defaults(self.posed).items()}
        return Host(self.builds(), survey(self), self.batch, self.subprocesses, options, self.record)

    def builds(self) -> dict[str, dict[str, Any]]:
        """Task name -> how to build its simulator, the default first."""
        more = {"repeat": self.repeat, "pictures": self.pictures, **({"record": self.record} if self.record else {})}
        return {name: {**how, **more} for name, how in self.simulator.builds().items()}


@lru_cache(maxsize=64)
def survey(world: Hosted) -> tuple[ArrayForm, ArrayForm]:
    """The forms of a world's observations and actions. Each variant is built once to compare them."""
    if world.batch < 1 or world.repeat < 1:
        raise ValueError(f"batch and repeat must be at least 1; they are {world.batch} and {world.repeat}")
    if world.posed and not world.simulator.takes_options:
        raise ValueError(f"posed: a {type(world.simulator).__name__} takes no options when an episode begins; leave it empty")
    _check_record(world)
    first: tuple[str, tuple[ArrayForm, ArrayForm]] | None = None
    for name, how in world.builds().items():
        simulator = build(how)
        forms = (simulator.observation_form, simulator.action_form)
        simulator.close()
        first = first or (name, forms)
        for what, given, expected in zip(("observations", "actions"), forms, first[1], strict=True):
            if not given.like(expected):
                raise ValueError(
                    f"variants of one world need the same spaces: {name} has {what} of {given}, {first[0]} of {expected}"
                    " (or other bounds); make them separate worlds"
                )
    assert first is not None
    return first[1]


def _check_record(world: Hosted) -> None:
    """Refuse numbers that cannot be recorded, before a life begins."""
    if world.record and not world.simulator.has_info:
        raise ValueError(f"record: a {type(world.simulator).__name__} reports no numbers beside its steps; leave it empty")
    if "" in world.record or len(set(world.record)) < len(world.record):
        raise ValueError(f"record must give names that differ; it is {', '.join(map(repr, world.record))}")
    if taken := [name for name in world.record if name in TAKEN]:
        raise ValueError(f"record: episodes and probes have {', '.join(taken)} of their own; report it under another name")


@lru_cache(maxsize=64)
def _task_space(count: int, posed: str) -> Variant | Posed:
    """The space of the tasks of a world with `count` variants. One object, so that equal worlds have equal specs."""
    boxes = _boxes(posed)
    return Posed(index=Discrete(n=count), options=boxes) if boxes else Variant(index=Discrete(n=count))


def _boxes(posed: str) -> dict[str, Box]:
    """The space of what a task sets, by name."""
    made = {}
    for name, edges in _entries(posed).items():
        low, high = (np.asarray(edges[side], np.float32) for side in ("low", "high"))
        made[name] = Box(shape=low.shape, low=_edge(low, 0.0), high=_edge(high, 0.0))
    return made


def _defaults(posed: str) -> dict[str, np.ndarray]:
    """What a named task sets: the default, else the middle."""
    return {
        name: np.asarray(edges.get("default", (np.asarray(edges["low"]) + np.asarray(edges["high"])) / 2), np.float32)
        for name, edges in _entries(posed).items()
    }


def _entries(posed: str) -> dict[str, Any]:
    example = '\'{"goal": {"low": [0, 0], "high": [9, 9]}}\''
    try:
        entries = json.loads(posed) if posed else {}
        fine = all(
            {"low", "high"} <= set(edges) and np.shape(edges["low"]) == np.shape(edges["high"]) for edges in entries.values()
        )
    except (json.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"posed must be a JSON object such as {example}; it is {posed!r} ({error})") from error
    if not fine:
        raise ValueError(f"posed needs `low` and `high` of one shape for each name, such as {example}; it is {posed!r}")
    return entries


def _space(form: ArrayForm) -> Box | Discrete:
    if form.choices:
        return Discrete(n=form.choices)
    return Box(shape=form.shape, low=_edge(form.low, -np.inf), high=_edge(form.high, np.inf), dtype=form.dtype)


def _edge(edge: Any, empty: float) -> spaces.Bound:
    flat = np.full(1, empty) if edge is None or not np.size(edge) else np.asarray(edge).reshape(-1)
    return float(flat[0]) if np.all(flat == flat[0]) else tuple(float(x) for x in flat)
