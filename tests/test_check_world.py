"""The checker of worlds: honest worlds pass, and each of many broken ones breaks the right rule."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from masked_worlds import Locks

from umwelt.check import world as check_world
from umwelt.core import FIRST, MID, TERMINATED, TRUNCATED, Box, Discrete, TimeStep, WorldSpec, part, struct
from umwelt.worlds import BUILT_IN, Announced, Pendulum

LIMIT = 5
STEPS = 14
"""Of a walk: two episodes end. All walks are as long, so that JAX compiles what stacks their steps once."""


@struct
class ToyState:
    """place, task: float32 [B]. kind: int8 [B]. age: int32 [B]."""

    place: Any
    task: Any
    kind: Any
    age: Any


@part
class Toy:
    """A point that drifts by its task; episodes take 5 steps, one more in the second row. `fault` breaks it."""

    fault: str = ""
    batch: int = 2

    @property
    def spec(self) -> WorldSpec:
        low, high = (1.0, -1.0) if self.fault == "low above high" else (-1.0, 1.0)
        size = 2 if self.fault == "batch of the spec" else self.batch
        room = 1.0 if self.fault == "narrow space" else 40.0
        return WorldSpec(
            name="" if self.fault == "no name" else "toy",
            observation=np.zeros(1) if self.fault == "space of arrays" else Box(shape=(1,), low=-room, high=room),
            action=Box(shape=(1,), low=low, high=high),
            task=Box(low=0.0, high=3.0),
            batch=size,
        )

    def tasks(self) -> Any:
        if self.fault == "no tasks":
            return {}
        if self.fault == "batched task":
            return {"slow": np.full(self.batch, 0.5, np.float32)}
        return {"slow": np.float32(0.5), "fast": np.float32(9.0 if self.fault == "task outside" else 2.0)}

    def init(self, key: jax.Array, task: Any) -> tuple[ToyState, Any]:
        place = jax.random.uniform(key, (self.batch,))
        kind = jnp.full(self.batch, MID if self.fault == "begins with MID" else FIRST, jnp.int8)
        age = jnp.array([0, -1], "int32")
        if self.fault == "state form":
            age = age.astype(jnp.int8)
        state = ToyState(place=place, task=task, kind=kind, age=age)
        if self.fault == "weak state":
            state = dataclasses.replace(state, place=jnp.broadcast_to(jnp.asarray(1.0), (self.batch,)))
        return state, TimeStep(kind=kind, observation=self._see(place), reward=jnp.zeros(self.batch, jnp.float32))

    def step(self, key: jax.Array, state: ToyState, action: jax.Array, next_task: Any) -> tuple[ToyState, Any]:
        fault = self.fault
        noise, start = jax.random.uniform(jax.random.fold_in(key, 0), (2, self.batch))
        if fault == "outside chance":
            noise = noise + float(np.random.default_rng().uniform())
        ended = state.kind >= TERMINATED
        task = jnp.where(ended, state.task if fault == "next task unused" else next_task, state.task)
        drift = next_task if fault == "next task too early" else state.task
        place = jnp.where(ended, start, state.place + 0.1 * (drift + action[:, 0] + noise))
        if fault == "action after an end":
            place = jnp.where(ended, start + 0.1 * action[:, 0], place)
        if fault == "python branch" and place[0] > 0:
            place = place + 1.0
        if fault == "callback without vmap":
            place = jax.pure_callback(np.asarray, jax.ShapeDtypeStruct(place.shape, place.dtype), place)
        age = jnp.where(ended, 0, state.age + 1)
        kind = jnp.where(age >= LIMIT, TRUNCATED, MID)
        kind = jnp.where(ended, MID if fault == "no FIRST" else FIRST, kind)
        if fault == "FIRST too early":
            kind = jnp.where(age == 2, FIRST, kind)
        if fault == "strange kind":
            kind = jnp.where(age == 2, 7, kind)
        kind = kind.astype(jnp.int32 if fault == "kind of int32" else jnp.int8)
        reward = jnp.where(ended & (fault != "paid on FIRST"), 0.0, jnp.where(fault == "infinite reward", jnp.inf, place + 1.0))
        state = ToyState(place=place, task=task, kind=kind.astype(jnp.int8), age=age.astype(jnp.int32))
        if fault == "reward without batch":
            reward = reward.sum()
        seen = self._see(jnp.where(age == 3, jnp.nan, place) if fault == "NaN" else place)
        if fault == "not a TimeStep":
            return state, (kind, seen, reward)
        return state, TimeStep(kind=kind, observation=seen, reward=reward.astype(jnp.float32))

    def _see(self, place: jax.Array) -> jax.Array:
        return place if self.fault == "flat observation" else place[:, None]


@part
class Renamed:
    """A world whose `step` names an argument otherwise."""

    spec = Toy().spec

    def tasks(self) -> Any:
        return Toy().tasks()

    def init(self, key: Any, task: Any) -> Any:
        return Toy().init(key, task)

    def step(self, key: Any, state: Any, act: Any, next_task: Any) -> Any:
        return Toy().step(key, state, act, next_task)


@part
class Rewarded:
    """The honest toy, which claims a reward of `claim` more than it pays."""

    claim: float = 0.0
    spec = Toy().spec

    def tasks(self) -> Any:
        return Toy().tasks()

    def init(self, key: Any, task: Any) -> Any:
        return Toy().init(key, task)

    def step(self, key: Any, state: Any, action: Any, next_task: Any) -> Any:
        return Toy().step(key, state, action, next_task)

    def reward(self, observation: Any, action: Any, next_observation: Any, task: Any = None) -> Any:
        return next_observation[:, 0] + 1.0 + self.claim


def broken(report) -> set[str]:
    return {fault.rule for fault in report.faults}


def test_an_honest_world_keeps_every_rule():
    report = check_world(Toy(), steps=STEPS)
    assert report, str(report)
    assert {"it can be traced", "form of the state", "jit", "scan and vmap"} <= set(report.passed)
    assert {"action after an end", "next task after an end"} <= set(report.passed)


@pytest.mark.parametrize(
    ("fault", "rule", "words"),
    [
        ("low above high", "spec", "swap them"),
        ("space of arrays", "spec", "build it of Box and Discrete"),
        ("no name", "spec", "give the world a name"),
        ("no tasks", "tasks", "at least one named task"),
        ("task outside", "tasks", "'fast' is not in `spec.task`"),
        ("batched task", "tasks", "leave out the batch axis"),
        ("python branch", "it can be traced", "use jnp.where in place of `if`"),
        ("not a TimeStep", "form of a step", "tuple came where a TimeStep belongs"),
        ("kind of int32", "form of a step", "make it int8[2]"),
        ("strange kind", "form of a step", "holds [7]"),
        ("reward without batch", "form of a step", "make it float32[2]"),
        ("flat observation", "form of a step", "make it (2, 1)"),
        ("narrow space", "observation space", "widen the space"),
        ("NaN", "observation space", "NaN or infinity"),
        ("infinite reward", "reward", "bound it"),
        ("paid on FIRST", "reward", "make it 0"),
        ("begins with MID", "begins with FIRST", "every row of its step is FIRST"),
        ("no FIRST", "order of kinds", "after TRUNCATED came MID"),
        ("FIRST too early", "order of kinds", "after MID came FIRST"),
        ("next task too early", "next task in an episode", "only in the rows whose last step had ended"),
        ("next task unused", "next task after an end", "begin the new episode on `next_task`"),
        ("action after an end", "action after an end", "ignore it"),
        ("state form", "form of the state", "age changed from int8[2] to int32[2]"),
        ("outside chance", "jit", "use jax.random with `key`"),
        ("callback without vmap", "scan and vmap", "vmap_method"),
        ("weak state", "form of the state", "compiles twice"),
    ],
)
def test_a_broken_world_breaks_the_right_rule(fault, rule, words):
    report = check_world(Toy(fault=fault), steps=STEPS)
    assert not report
    assert rule in broken(report), str(report)
    assert words in next(each.sentence for each in report.faults if each.rule == rule)


def test_another_parameter_name_is_found():
    report = check_world(Renamed())
    assert broken(report) == {"parameters"}
    assert "`step` takes (key, state, act, next_task)" in str(report)


@pytest.mark.parametrize(("claim", "kept"), [(0.0, True), (0.5, False)])
def test_a_given_reward_must_be_the_one_that_is_paid(claim, kept):
    assert ("given reward" not in broken(check_world(Rewarded(claim=claim), steps=STEPS))) is kept


@pytest.mark.parametrize(
    ("method", "wrong", "words"),
    [
        ("reward", lambda self, observation, action, after, task=None: after[:, 0] + 1.0, "takes (observation, action, after"),
        ("reward", lambda self, observation, action, next_observation, task=None: next_observation, "make it float32[2]"),
        ("continues", lambda self, observation, action, next_observation, task=None: 0.0 * observation[:, 0], "`continues` says"),
        ("position", lambda self, observation: observation, "make it [2, 2] or [2, 3]"),
        ("expert", lambda self, key, observation, task=None: 3.0 * jnp.ones_like(observation), "of `expert` is not in"),
        ("expert", lambda self, key, observation, task=None: observation[:, 0], "give it the form of its space"),
        ("guard", lambda self, observation, action: 0.5 * action, "`guard` changes an action that it has returned"),
        ("achieved", lambda self, observation: observation[0], "give it one row for each of 2"),
    ],
)
def test_a_capability_that_is_not_true_is_named(method, wrong, words):
    world = type("Able", (), {name: vars(Rewarded)[name] for name in ("tasks", "init", "step", "spec")} | {method: wrong})()
    assert words in str(check_world(world, steps=STEPS)), method


def test_a_model_that_the_steps_contradict_is_named():
    class Heavier(Pendulum):
        def body(self, observation, task):
            return dataclasses.replace(Pendulum.body(self, observation, task), speed=observation[2] + 0.1)

    assert {fault.rule for fault in check_world(Heavier(batch=2, time_limit=LIMIT), steps=STEPS).faults} == {"known model"}


def test_the_shapes_of_a_world_are_checked_in_one_trace():
    counted = []

    class Counted(Toy):
        def step(self, key, state, action, next_task):
            counted.append(isinstance(action, jax.core.Tracer))
            return Toy.step(self, key, state, action, next_task)

    report = check_world(Counted(), depth="shapes")
    assert report, str(report)
    assert counted == [True]
    assert "it can be traced" in report.passed
    for fault, rule in (("kind of int32", "form of a step"), ("weak state", "form of the state"), ("low above high", "spec")):
        assert broken(check_world(Toy(fault=fault), depth="shapes")) == {rule}
    with pytest.raises(ValueError, match="depth='deep'"):
        check_world(Toy(), depth="deep")


def test_a_mask_must_fit_the_choices_and_leave_one_open():
    honest = check_world(HostedLocks(), steps=STEPS)
    honest.raise_if_broken()
    assert "a choice is open" in honest.passed
    assert broken(check_world(HostedLocks(shut=True), steps=STEPS)) == {"a choice is open"}
    assert "mask" in check_world(Locks(batch=3), depth="shapes").passed
    spec, box = Locks().spec, Box(shape=(3,), low=0, high=1, dtype="uint8")
    methods = {name: getattr(Locks(), name) for name in ("tasks", "init", "step")}
    for changed in ({"observation": {"open": box}}, {"action": Box(shape=(4,), low=0.0, high=1.0)}):
        world = type("Masked", (), {"spec": dataclasses.replace(spec, **changed), **methods})()
        assert "mask" in broken(check_world(world, depth="shapes"))


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_built_in_worlds_keep_the_contract(name):
    check_world(BUILT_IN[name](batch=2, time_limit=LIMIT), steps=STEPS).raise_if_broken()


def test_an_announced_world_keeps_the_contract():
    check_world(Announced(world=BUILT_IN["pendulum"](batch=2, time_limit=LIMIT)), steps=STEPS).raise_if_broken()


class Room:
    """The simulator of the hosted toy: it counts what was done to it."""

    def __init__(self) -> None:
        self.place, self.time, self.kind = 0.0, 0, FIRST
        self.out = np.zeros((1, 1), np.float32)


@part
class HostedToy:
    """A hosted world of one row whose episodes take 7 steps. Its ticket is (room, time). `fault` breaks it."""

    fault: str = ""

    @property
    def spec(self) -> WorldSpec:
        return WorldSpec(
            name="hosted toy", observation=Box(shape=(1,)), action=Box(shape=(1,), low=-1.0, high=1.0), task=Box(), hosted=True
        )

    def tasks(self) -> Any:
        return {"one": np.float32(1.0), "two": np.float32(2.0)}

    def init(self, key: Any, task: Any) -> Any:
        return self._answer(self._begin(Room(), key, task), 0.0)

    def step(self, key: Any, state: Any, action: Any, next_task: Any) -> Any:
        room, time = state
        if time != room.time and self.fault != "stale ticket taken":
            raise RuntimeError("a stale ticket")
        room.time += 1
        if room.kind >= TERMINATED:
            room = self._begin(room, key, next_task)
            room.place += float(action[0, 0]) if self.fault == "action after an end" else 0.0
            return self._answer(room, 0.0)
        chance = np.random.default_rng().normal() if self.fault == "outside chance" else 0.0
        room.place += float(action[0, 0]) + chance
        room.kind = TERMINATED if room.time % 8 == 7 else MID
        return self._answer(room, 1.0)

    def save(self, ticket: Any) -> Any:
        room, _ = ticket
        if self.fault == "saved as a list":
            return {"place": [room.place]}
        place = 0.0 if self.fault == "forgets its place" else room.place
        return {"place": np.array(place), "time": np.array(room.time), "kind": np.array(room.kind)}

    def restore(self, saved: Any) -> Any:
        room = Room()
        room.place, room.time, room.kind = float(saved["place"]), int(saved["time"]), int(saved["kind"])
        return self._answer(room, 0.0 if room.kind == FIRST else 1.0)

    def drain(self, ticket: Any) -> Any:
        return None if self.fault == "drains nothing" else []

    def close(self, ticket: Any) -> None:
        ticket[0].time = -1

    def _begin(self, room: Room, key: Any, task: Any) -> Room:
        room.place, room.kind = float(task[0]) + float(jax.random.uniform(key)), FIRST
        return room

    def _answer(self, room: Room, reward: float) -> Any:
        observation = np.full((1, 1), room.place, np.float32)
        if self.fault == "overwrites its steps":
            room.out[:] = observation
            observation = room.out
        if self.fault == "flat observation":
            observation = observation[0]
        if self.fault == "returns JAX arrays":
            observation = jnp.asarray(observation)
        kind, paid = np.array([room.kind], np.int8), np.array([reward], np.float32)
        return (room, room.time), TimeStep(kind=kind, observation=observation, reward=paid)


@part
class HostedLocks(HostedToy):
    """Two doors, of which the first is open at every second step, and the other unless it is `shut`."""

    shut: bool = False

    @property
    def spec(self) -> WorldSpec:
        seen = {"open": Box(shape=(2,), low=0, high=1, dtype="uint8")}
        return WorldSpec(name="hosted locks", observation=seen, action=Discrete(n=2), task=Box(), hosted=True)

    def step(self, key: Any, state: Any, action: Any, next_task: Any) -> Any:
        return HostedToy.step(self, key, state, np.zeros((1, 1)), next_task)

    def _answer(self, room: Room, reward: float) -> Any:
        ticket, step = HostedToy._answer(self, room, reward)
        doors = np.array([[room.time % 2, not self.shut]], np.uint8)
        return ticket, dataclasses.replace(step, observation={"open": doors})


def test_an_honest_hosted_world_keeps_every_rule():
    report = check_world(HostedToy(), steps=30)
    assert report, str(report)
    assert {"stale ticket", "save and restore", "save and restore at an end", "action after an end"} <= set(report.passed)


@pytest.mark.parametrize(
    ("fault", "rule"),
    [
        ("stale ticket taken", "stale ticket"),
        ("outside chance", "same key"),
        ("action after an end", "action after an end"),
        ("saved as a list", "save and restore"),
        ("forgets its place", "save and restore"),
        ("drains nothing", "drain"),
        ("overwrites its steps", "steps are kept"),
        ("returns JAX arrays", "NumPy steps"),
    ],
)
def test_a_broken_hosted_world_breaks_the_right_rule(fault, rule):
    assert rule in broken(check_world(HostedToy(fault=fault), steps=30))


def test_the_shapes_of_a_hosted_world_are_those_of_one_step():
    assert check_world(HostedToy(), depth="shapes")
    assert "it runs" in check_world(HostedToy(), depth="shapes").passed
    assert "make it (1, 1)" in str(check_world(HostedToy(fault="flat observation"), depth="shapes"))


def test_a_hosted_world_without_save_is_refused():
    @part
    class Bare:
        spec = HostedToy().spec

        def tasks(self) -> Any:
            return HostedToy().tasks()

        def init(self, key: Any, task: Any) -> Any:
            return HostedToy().init(key, task)

        def step(self, key: Any, state: Any, action: Any, next_task: Any) -> Any:
            return HostedToy().step(key, state, action, next_task)

    assert "has no method `save`" in str(check_world(Bare()))
