"""Curiosity around a learner and inside a model: what they pay, what they pass on, and what they refuse."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.behaviours import DQN, SAC, ActorCritic, Dreamer, Dyna, ModelFree, ModelPredictive, Rewarded
from umwelt.behaviours.batch import Batch
from umwelt.core import (
    FIRST,
    LIVED,
    MID,
    TRUNCATED,
    WATCHED,
    Box,
    Discrete,
    Experience,
    Objective,
    Prediction,
    TimeStep,
    WorldSpec,
    capability,
    part,
)
from umwelt.curiosity import Counts, Distilled
from umwelt.memory import Ring, Trajectories
from umwelt.models import Ensemble, Rssm, Wondering
from umwelt.planners import Shooting

KEY = jax.random.key(1)
CELLS = Counts(of="cells")
ROOMS = 4


@part
class Witness:
    """A learner that keeps the last batch that it learned from."""

    discount: float = 0.9
    protection: Any = None
    metrics = ()

    def init(self, key: Any, width: int, action: Any) -> Any:
        zeros = jnp.zeros(5)
        return Batch(now=jnp.zeros((5, width)), action=zeros.astype(jnp.int32), reward=zeros, continues=zeros,
                     after=jnp.zeros((5, width)), weight=zeros)  # fmt: skip

    def act(self, key: Any, state: Any, features: Any, mode: Any, open: Any = None) -> Any:
        return jnp.zeros(features.shape[0], jnp.int32)

    def learn(self, key: Any, state: Any, batch: Batch) -> Any:
        return batch, {}

    def imitate(self, key: Any, state: Any, batch: Batch) -> Any:
        return batch, {"imitated": 1}


def batch_of(where: list[int], weight: list[float] | None = None) -> Batch:
    rows = len(where)
    ones, after = np.ones(rows, np.float32), np.eye(ROOMS, dtype=np.float32)[where]
    return Batch(now=0 * after, action=np.zeros(rows, np.int32), reward=ones, continues=ones, after=after,
                 weight=ones if weight is None else np.float32(weight))  # fmt: skip


def test_a_batch_is_paid_in_running_deviations_and_again_each_time() -> None:
    learner = Rewarded(learner=Witness(), curiosity=CELLS, weight=3.0)
    state = learner.init(KEY, ROOMS, Discrete(n=2))
    seen: list[float] = []
    learn = jax.jit(learner.learn)
    first, second = batch_of([0, 0, 1, 2, 3], [1, 1, 1, 1, 0]), batch_of([0, 0, 1, 3, 3])
    for batch, times in ((first, [2, 2, 1, 1]), (second, [4, 4, 2, 2, 2])):
        state, info = learn(KEY, state, batch)
        seen += [n**-0.5 for n in times]
        unit = np.sqrt(np.mean(np.square(seen)))
        paid = np.asarray([3.0 * n**-0.5 / unit for n in times])
        np.testing.assert_allclose(np.asarray(state.inner.reward)[: len(times)], 1.0 + paid, rtol=1e-5)
        assert float(info["batch_bonus"]) == pytest.approx(paid.mean(), rel=1e-5)
    alone = replace(learner, instead=True)
    after, _ = jax.jit(alone.learn)(KEY, alone.init(KEY, ROOMS, Discrete(n=2)), second)
    np.testing.assert_allclose(after.inner.reward, np.asarray([2, 2, 1, 2, 2]) ** -0.5 * 3 / np.sqrt((4 / 2 + 1) / 5), rtol=1e-5)


@pytest.mark.parametrize("learner", [DQN(units=8), SAC(units=8)])
def test_a_bonus_without_weight_leaves_the_learner_as_it_is(learner: Any) -> None:
    action = Discrete(n=3) if isinstance(learner, DQN) else Box(shape=(2,), low=-1.0, high=1.0)
    curious = Rewarded(learner=learner, curiosity=Distilled(units=8), weight=0.0)
    batch = replace(
        batch_of([0, 1, 2, 3, 1]), action=np.zeros(5, np.int32) if isinstance(learner, DQN) else np.zeros((5, 2), np.float32)
    )
    plain, state = learner.init(KEY, ROOMS, action), curious.init(KEY, ROOMS, action)
    learns = jax.jit(learner.learn), jax.jit(curious.learn)
    for _ in range(3):
        plain, said = learns[0](KEY, plain, batch)
        state, info = learns[1](KEY, state, batch)
    # two programs may round differently, a thousandth of what one update moves
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, atol=1e-6), state.inner, plain)
    assert {name: float(info[name]) for name in said} == pytest.approx(
        {name: float(value) for name, value in said.items()}, abs=1e-5
    )
    acts = [each.act(KEY, at, batch.now, "explore") for each, at in ((learner, plain), (curious, state))]
    np.testing.assert_allclose(*acts, atol=1e-5)


def test_a_learner_inside_keeps_its_capabilities() -> None:
    learner = Rewarded(learner=Witness(), curiosity=CELLS)
    state, info = capability(learner, "imitate", required="test")(KEY, learner.init(KEY, ROOMS, Discrete(n=2)), batch_of([1] * 5))
    assert info == {"imitated": 1}
    np.testing.assert_array_equal(state.inner.after, batch_of([1] * 5).after)
    assert capability(replace(learner, learner=DQN()), "dream") is None


def test_batches_of_several_steps_and_episodic_signals_are_refused() -> None:
    learner = Rewarded(learner=Witness(), curiosity=CELLS)
    with pytest.raises(ValueError, match="sums 3 rewards at once"):
        learner.learn(KEY, learner.init(KEY, ROOMS, Discrete(n=2)), replace(batch_of([0]), steps=3))
    with pytest.raises(ValueError, match=r"Rewarded reads transitions out of their order.*behaviours\.Curious"):
        replace(learner, curiosity=Counts(episodic=True)).init(KEY, ROOMS, Discrete(n=2))
    with pytest.raises(ValueError, match="Wondering reads transitions out of their order"):
        Wondering(model=Doors(), curiosity=Counts(episodic=True)).init(KEY, SPEC)


def test_an_agent_with_a_curious_learner_keeps_the_contract() -> None:
    learner = Rewarded(learner=DQN(units=8, layers=1), curiosity=Distilled(units=8))
    spec = WorldSpec(
        name="rooms", observation=Box(shape=(3,)), action=Discrete(n=4), task={"size": Box(low=0.0, high=1.0)}, batch=3
    )
    check.agent(ModelFree(learner=learner, memory=Ring(bytes=100_000), batch=8), spec).raise_if_broken()


SPEC = WorldSpec(name="rooms", observation=Box(shape=(ROOMS,), low=0.0, high=1.0), action=Discrete(n=ROOMS), task=(), batch=2)


@part
class Doors:
    """The true model of a world in which a choice is the room one enters. Room 1 is rewarded."""

    diet: str = "stream"
    metrics = ()

    def init(self, key: Any, spec: WorldSpec) -> Any:
        return jnp.int32(0)

    def start(self, state: Any, batch: int) -> Any:
        return {"room": jnp.zeros((batch, ROOMS))}

    def observe(self, key: Any, state: Any, belief: Any, action: Any, step: TimeStep) -> Any:
        nothing = jnp.full(step.kind.shape, jnp.nan)
        return {"room": step.observation}, {"surprise": nothing, "doubt": nothing}

    def imagine(self, key: Any, state: Any, belief: Any, action: Any) -> Any:
        room = jax.nn.one_hot(action, ROOMS)
        return {"room": room}, Prediction(
            observation=room, reward=room[:, 1], continues=jnp.ones(len(room)), doubt=jnp.zeros(len(room))
        )

    def learn(self, key: Any, state: Any, experience: Experience) -> Any:
        return state + 1, {}

    def value(self, state: Any, belief: Any) -> Any:
        return jnp.full(belief["room"].shape[0], state, jnp.float32)

    def imitate(self, key: Any, state: Any, experience: Experience) -> Any:
        return state + 100, {}


def visits(rooms: Any, kinds: Any = None, origin: int = LIVED) -> Experience:
    """Experience with the shape of `rooms` [N] or [N, L + 1], of going from room to room."""
    rooms = np.asarray(rooms)
    kinds = np.broadcast_to(MID, rooms.shape) if kinds is None else np.asarray(kinds)
    now, after = (rooms, rooms) if rooms.ndim == 1 else (rooms[:, :-1], rooms[:, 1:])
    kind_now, kind_after = (kinds, kinds) if rooms.ndim == 1 else (kinds[:, :-1], kinds[:, 1:])

    def step(room: Any, kind: Any) -> TimeStep:
        seen = np.eye(ROOMS, dtype=np.float32)[room]
        return TimeStep(kind=np.asarray(kind, np.int8), observation=seen, reward=np.zeros(room.shape, np.float32))

    origins = np.full(now.shape, origin, np.int8)
    return Experience(step=step(now, kind_now), action=after.astype(np.int32), next=step(after, kind_after), origin=origins)


def test_imagination_pays_one_over_the_root_of_the_visits_of_the_next_belief() -> None:
    model = Wondering(model=Doors(), curiosity=CELLS)
    state, info = jax.jit(lambda rows: model.learn(KEY, model.init(KEY, SPEC), rows))(visits([0, 0, 0, 1]))
    assert int(state.inner) == 1
    unit = np.sqrt((3 * (1 / 3) + 1) / 4)
    assert float(info["model_bonus"]) == pytest.approx((3 * 3**-0.5 + 1) / 4 / unit, rel=1e-5)
    belief, prediction = jax.jit(model.imagine)(KEY, state, model.start(state, ROOMS), np.arange(ROOMS))
    np.testing.assert_allclose(prediction.bonus, np.asarray([4**-0.5, 2**-0.5, 1, 1]) / unit, rtol=1e-5)
    np.testing.assert_array_equal(belief["room"], np.eye(ROOMS))
    np.testing.assert_array_equal(prediction.reward, [0, 1, 0, 0])


def test_sequences_are_learned_without_their_seams() -> None:
    model = Wondering(model=Doors(diet="replay"), curiosity=CELLS)
    # row 0 visits 1, 2; row 1 visits 3, ends, and begins again at 0, from where it enters 1
    kinds = [[FIRST, MID, MID, MID], [MID, TRUNCATED, FIRST, MID]]
    rooms = np.eye(ROOMS, dtype=np.int32)

    @jax.jit
    def learned(rows: Any) -> Any:
        state, _ = model.learn(KEY, model.init(KEY, SPEC), rows)
        return state, CELLS.times(state.curiosity, rooms)

    @jax.jit
    def recalled(state: Any, rows: Any) -> Any:
        after, _, believed = model.learn_and_recall(KEY, state, rows)
        return believed, CELLS.times(after.curiosity, rooms)

    state, times = learned(visits([[0, 1, 2, 2], [0, 3, 0, 1]], kinds))
    np.testing.assert_array_equal(times, [0, 2, 2, 1])
    believed, times = recalled(state, visits([[0, 1, 2, 2]]))
    np.testing.assert_array_equal(np.argmax(believed["room"], -1)[:, 0], [0, 1, 2, 2])
    np.testing.assert_array_equal(times, [0, 3, 4, 1])


@part
class Deeds:
    """A signal that pays the sum of the actions that it learned."""

    metrics = ()

    def init(self, key: Any, width: int, actions: int, batch: int) -> Any:
        return jnp.zeros(actions)

    def bonus(self, key: Any, state: Any, moment: Any) -> Any:
        return jnp.sum(state * moment.done, -1)

    def learn(self, key: Any, state: Any, moment: Any) -> Any:
        return state + jnp.sum(jnp.where(moment.weight[:, None] > 0, moment.done, 0.0), 0), {}


def test_unknown_actions_are_not_read() -> None:
    model = Wondering(model=Doors(), curiosity=Deeds())
    learn = jax.jit(lambda rows: model.learn(KEY, model.init(KEY, SPEC), rows))
    for origin, learned in ((LIVED, [0, 2, 0, 1]), (WATCHED, [0, 0, 0, 0])):
        state, _ = learn(visits([1, 1, 3], origin=origin))
        np.testing.assert_array_equal(state.curiosity, learned)


def test_a_planner_enters_the_room_that_is_new() -> None:
    agent = ModelPredictive(model=Wondering(model=Doors(), curiosity=CELLS), planner=Shooting(samples=64, horizon=1))
    see, remember, state = jax.jit(agent.see), jax.jit(agent.remember), agent.init(KEY, SPEC)
    for rooms in ([0, 1], [0, 1], [2, 2], [1, 2]):
        experience = visits(rooms)
        state, _ = see(KEY, state, experience.next)
        state, _ = remember(KEY, state, experience)

    def chosen(objective: Objective) -> list[int]:
        act = jax.jit(replace(agent, objective=objective).act)
        return np.asarray(act(KEY, state)[1]).tolist()

    assert chosen(Objective(reward=0.0, bonus=1.0)) == [3, 3], "the only room that was not entered"
    assert chosen(Objective(reward=1.0)) == [1, 1]
    assert chosen(Objective(reward=10.0, bonus=1.0)) == [1, 1]


def test_a_model_inside_keeps_its_capabilities() -> None:
    model = Wondering(model=Doors(), curiosity=CELLS)
    state = model.init(KEY, SPEC)
    value, imitate = (capability(model, name, required="test") for name in ("value", "imitate"))
    after, _ = imitate(KEY, state, visits([1]))
    assert int(after.inner) == 100
    np.testing.assert_array_equal(value(after, {"room": np.eye(ROOMS)}), [100.0] * ROOMS)
    assert capability(model, "prior") is None


ENSEMBLE = Wondering(model=Ensemble(members=2, layers=1, units=8), curiosity=Distilled(units=8))
SMALL = Rssm(deterministic=8, groups=2, classes=4, units=8)
MEMORY = Ring(bytes=100_000)
AGENTS = {
    "dreamer": Dreamer(
        model=Wondering(model=SMALL, curiosity=Distilled(units=8)),
        policy=ActorCritic(units=8, layers=1),
        explorer=ActorCritic(units=8, layers=1),
        objective=Objective(reward=0.0, bonus=1.0),
        memory=Trajectories(bytes=100_000, length=4),
        batch=4,
        length=4,
    ),
    "dyna": Dyna(
        model=ENSEMBLE,
        learner=Rewarded(learner=DQN(units=8), curiosity=CELLS),
        memory=MEMORY,
        dreamed=MEMORY,
        batch=8,
        model_batch=8,
        objective=Objective(bonus=0.5),
    ),
}


@pytest.mark.parametrize("name", AGENTS)
def test_dreamers_read_a_bonus_from_imagination(name: str) -> None:
    check.agent(AGENTS[name], SPEC, depth="shapes").raise_if_broken()


def test_a_model_with_curiosity_inside_keeps_the_contract() -> None:
    check.model(ENSEMBLE, depth="shapes").raise_if_broken()
