"""Curiosity around an agent: what it pays against a count in plain Python, and what the inner agent gets to see."""

import itertools
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.behaviours import DQN, Curious, ModelFree, RandomAgent
from umwelt.core import (
    BROKEN,
    FIRST,
    MID,
    SHOWN,
    TERMINATED,
    TRUNCATED,
    WATCHED,
    Box,
    Discrete,
    Experience,
    TimeStep,
    WorldSpec,
    lived,
    part,
    spaces,
)
from umwelt.curiosity import Counts, Distilled
from umwelt.memory.ring import Ring

KEY = jax.random.key(4)
EPISODIC = Counts(of="bits", episodic=True)


@part
class Witness:
    """An agent that keeps the last step that it saw and the last experience that it remembers."""

    metrics = ()

    def init(self, key: Any, spec: WorldSpec) -> Any:
        step = TimeStep(kind=jnp.zeros(spec.batch, jnp.int8), observation=spaces.zeros(spec.observation, spec.batch),
                        reward=jnp.zeros(spec.batch))  # fmt: skip
        action = spaces.zeros(spec.action, spec.batch)
        return {"step": step, "experience": lived(step, action, step, surprise=step.reward), "action": action}

    def see(self, key: Any, state: Any, step: TimeStep) -> Any:
        nothing = jnp.full(step.kind.shape, jnp.nan)
        return {**state, "step": step}, {"surprise": nothing, "doubt": nothing}

    def act(self, key: Any, state: Any, mode: Any = "explore") -> Any:
        return state, state["action"]

    def remember(self, key: Any, state: Any, experience: Experience) -> Any:
        return {**state, "experience": experience}, {}

    def learn(self, key: Any, state: Any) -> Any:
        return state, {}

    def embody(self, key: Any, state: Any, spec: WorldSpec) -> Any:
        return self.init(key, spec)

    def imagine(self, key: Any, state: Any, actions: Any) -> Any:
        return None


def spec_of(width: int, batch: int) -> WorldSpec:
    return WorldSpec(name="bits", observation=Box(shape=(width,), low=0.0, high=1.0), action=Discrete(n=4), task=(), batch=batch)


def counting(**fields: Any) -> Curious:
    return Curious(**{"agent": Witness(), "curiosity": EPISODIC, "weight": 0.5, "tells": True, "normalised": False, **fields})


def step_of(observation: Any, kind: Any = MID) -> TimeStep:
    observation = np.asarray(observation, np.float32)
    kind = np.broadcast_to(np.asarray(kind, np.int8), (observation.shape[0],))
    return TimeStep(kind=kind, observation=observation, reward=np.where(kind == FIRST, 0.0, 1.0).astype(np.float32))


@partial(jax.jit, static_argnums=0)
def turn(agent: Any, state: Any, step: TimeStep, next: TimeStep) -> tuple[Any, Any, jax.Array]:
    """One turn of a life: the state, the experience that the inner agent remembers, and the bonus."""
    state, info = agent.see(KEY, state, next)
    experience = lived(step, jnp.zeros(step.kind.shape, jnp.int32), next, surprise=info["surprise"])
    state, info = agent.remember(KEY, state, experience)
    return agent.act(KEY, state)[0], state.inner["experience"], info["bonus"]


@partial(jax.jit, static_argnums=0)
def begun(agent: Any, step: TimeStep) -> Any:
    """The state after the first step."""
    rows, width = step.observation.shape
    return agent.see(KEY, agent.init(KEY, spec_of(width, rows)), step)[0]


def run(agent: Any, steps: list[TimeStep]) -> tuple[Any, list[Any], np.ndarray]:
    """Run from the first step to the last: the state, every experience and bonus of the inner agent."""
    state = begun(agent, steps[0])
    kept, paid = [], []
    for step, next in itertools.pairwise(steps):
        state, experience, bonus = turn(agent, state, step, next)
        kept.append(experience)
        paid.append(np.asarray(bonus))
    return state, kept, np.asarray(paid)


def life(rows: int, ticks: int, seed: int = 0) -> list[TimeStep]:
    """Observations drawn from eight patterns of six bits, in episodes of about seven steps."""
    random = np.random.default_rng(seed)
    patterns = random.random((8, 6)) < 0.4
    kinds = [np.full(rows, FIRST)]
    for _ in range(ticks):
        drawn = np.where(random.random(rows) < 0.15, random.choice([TERMINATED, TRUNCATED, BROKEN], rows), MID)
        kinds.append(np.where(kinds[-1] >= TERMINATED, FIRST, drawn))
    return [step_of(patterns[random.integers(8, size=rows)], kind) for kind in kinds]


def reference(steps: list[TimeStep], weight: float) -> tuple[np.ndarray, np.ndarray]:
    """The bonus of each transition, and how often each observation had been met in its episode: [T, B] both."""
    width = steps[0].observation.shape[1]
    ones, total = np.zeros(width), 0.0
    rows = range(len(steps[0].kind))
    met: list[dict[bytes, int]] = [{} for _ in rows]
    paid, before = [], []
    plain = [(np.asarray(step.kind), np.asarray(step.observation) > 0.5) for step in steps]
    for (kind, now), (kind_after, after) in itertools.pairwise(plain):
        new = []
        for row in rows:
            if kind[row] == FIRST:
                met[row] = {}
            if kind[row] == FIRST and kind_after[row] != BROKEN:
                met[row][now[row].tobytes()] = 1
                ones, total = ones + now[row], total + 1
        for row in rows:
            valid = kind[row] < TERMINATED and kind_after[row] != BROKEN
            seen = met[row].get(after[row].tobytes(), 0)
            new.append(valid and not seen)
            if valid:
                met[row][after[row].tobytes()] = seen + 1
            before.append(seen)
        for row in rows:
            ones, total = ones + new[row] * after[row], total + new[row]
        for row in rows:
            same = np.where(after[row], ones, total - ones)
            p, more = np.prod((same + 0.5) / (total + 1)), np.prod((same + 1.5) / (total + 2))
            paid.append(weight * max(p / (more - p), 1.0) ** -0.5 if new[row] else 0.0)
    return np.reshape(paid, (-1, len(met))), np.reshape(before, (-1, len(met)))


SCALED = counting(scale=3.0)
"""One agent of many tests, for lives of three rows: its programs are compiled once."""


@pytest.mark.parametrize("rows", [1, 3])
def test_it_pays_what_a_plain_count_says(rows: int) -> None:
    steps = life(rows, 80)
    _, kept, paid = run(SCALED, steps)
    expected, before = reference(steps, 0.5)
    np.testing.assert_allclose(paid, expected, rtol=2e-3, atol=1e-6)
    assert (paid > 0).sum() > 10
    assert (paid == 0).sum() > 10
    for tick, experience in enumerate(kept):
        world = steps[tick + 1]
        np.testing.assert_allclose(experience.next.reward, np.float32(3.0) * world.reward + paid[tick], rtol=1e-6)
        np.testing.assert_array_equal(experience.next.observation["seen"], world.observation)
        shown = np.argmax(experience.next.observation["before"], -1)
        valid = np.asarray(experience.valid)
        np.testing.assert_array_equal(shown[valid], np.minimum(before[tick], 3)[valid])
    for earlier, later in itertools.pairwise(kept):
        jax.tree.map(np.testing.assert_array_equal, earlier.next.observation, later.step.observation)


def test_the_inner_agent_acts_on_what_it_will_remember() -> None:
    steps = life(3, 40, seed=1)
    state = begun(SCALED, steps[0])
    for step, next in itertools.pairwise(steps):
        seen = state.inner["step"].observation
        state, experience, _ = turn(SCALED, state, step, next)
        jax.tree.map(np.testing.assert_array_equal, seen, experience.step.observation)
        jax.tree.map(np.testing.assert_array_equal, state.inner["step"].observation, experience.next.observation)


def test_a_probe_counts_its_own_episode_and_leaves_the_life_alone() -> None:
    agent = counting()
    one, two = np.eye(4)[[1]], np.eye(4)[[2]]
    state, _, _ = run(agent, [step_of(one, FIRST), step_of(two), step_of(one), step_of(two)])
    body = agent.embody(KEY, state, spec_of(4, 3))
    shown = []
    see, act = jax.jit(agent.see), jax.jit(agent.act, static_argnums=2)
    for kind, row in ((FIRST, one), (MID, two), (MID, one), (MID, one), (FIRST, one)):
        body, _ = see(KEY, body, step_of(np.repeat(row, 3, axis=0), kind))
        body, _ = act(KEY, body, "exploit")
        shown.append(np.argmax(body.inner["step"].observation["before"], -1).tolist())
    assert shown == [[0] * 3, [0] * 3, [1] * 3, [2] * 3, [0] * 3]
    state, _ = see(KEY, state, step_of(one))
    assert int(np.argmax(state.inner["step"].observation["before"])) == 2


def test_without_tells_the_inner_agent_observes_the_world() -> None:
    steps = life(3, 20)
    state, kept, paid = run(counting(scale=3.0, tells=False), steps)
    np.testing.assert_array_equal(kept[-1].next.observation, steps[-1].observation)
    assert state.ahead is None
    np.testing.assert_array_equal(paid, run(SCALED, steps)[2])


def test_a_weight_is_in_units_of_the_discounted_sum() -> None:
    steps = life(3, 60, seed=2)
    raw = run(SCALED, steps)[2] / SCALED.weight
    _, _, paid = run(counting(weight=2.0, normalised=True, discount=0.9), steps)
    sums, all_sums = np.zeros(3), np.zeros((0, 1))
    for tick, (step, next) in enumerate(itertools.pairwise(steps)):
        valid = (np.asarray(step.kind) < TERMINATED) & (np.asarray(next.kind) != BROKEN)
        sums = np.where(valid, 0.9 * sums + raw[tick], sums)
        all_sums = np.concatenate([all_sums, sums[valid, None]])
        unit = np.sqrt(np.mean(all_sums**2))
        np.testing.assert_allclose(paid[tick], 2.0 * raw[tick] / (unit if unit > 0 else 1.0), rtol=1e-4)
    _, _, louder = run(counting(weight=2.0, normalised=True, discount=0.9, curiosity=Louder()), steps)
    np.testing.assert_allclose(louder, paid, rtol=1e-4, err_msg="a signal of another size weighs the same")


@part
class Louder:
    """The episodic count, a hundred times as loud."""

    metrics = ()

    def init(self, *arguments: Any) -> Any:
        return EPISODIC.init(*arguments)

    def bonus(self, key: Any, state: Any, moment: Any) -> Any:
        return 100.0 * EPISODIC.bonus(key, state, moment)

    def learn(self, key: Any, state: Any, moment: Any) -> Any:
        return EPISODIC.learn(key, state, moment)

    def begin(self, state: Any, rows: Any) -> Any:
        return EPISODIC.begin(state, rows)

    def told(self, state: Any) -> Any:
        return EPISODIC.told(state)


def test_shown_experience_is_paid_and_keeps_its_return() -> None:
    agent = counting(scale=2.0)
    step, next = step_of(np.eye(4)[[0, 1]], FIRST), step_of(np.eye(4)[[2, 1]])
    origin = np.array([SHOWN, WATCHED], np.int8)
    shown = replace(lived(step, np.zeros(2, np.int32), next), origin=origin, to_come=np.float32([5.0, 6.0]))
    state, info = jax.jit(lambda shown: agent.remember(KEY, agent.init(KEY, spec_of(4, 2)), shown))(shown)
    assert (info["bonus"] > 0).tolist() == [True, False], "the second stays where its episode began"
    np.testing.assert_array_equal(state.inner["experience"].to_come, [10.0, 12.0])
    np.testing.assert_array_equal(state.inner["experience"].origin, origin)


def test_the_leaf_stands_beside_an_announced_task() -> None:
    space = {"seen": Box(shape=(2,)), "task": Box(shape=(1,))}
    spec = replace(spec_of(2, 1), observation=space)
    agent = counting()
    state = agent.init(KEY, spec)
    assert set(agent.shown_spec(state, spec).observation) == {"seen", "task", "before"}
    step = replace(step_of(np.eye(2)[[0]], FIRST), observation={"seen": jnp.ones((1, 2)), "task": jnp.ones((1, 1))})
    state, _ = jax.jit(agent.see)(KEY, state, step)
    assert set(state.inner["step"].observation) == {"seen", "task", "before"}


def test_pictures_and_signals_without_statistics_are_refused() -> None:
    pictures = replace(spec_of(4, 1), observation=Box(shape=(64, 64, 3), low=0, high=255, dtype="uint8"))
    with pytest.raises(ValueError, match="Curious reads numbers, not pictures"):
        counting().init(KEY, pictures)
    with pytest.raises(ValueError, match="tells=True: Counts has no `told`"):
        counting(curiosity=Counts()).init(KEY, spec_of(4, 1))


AGENTS = {
    "counts": counting(agent=ModelFree(learner=DQN(units=8, layers=1), memory=Ring(bytes=100_000), batch=8)),
    "distilled": Curious(agent=RandomAgent(), curiosity=Distilled(units=8)),
}


@pytest.mark.parametrize("name", AGENTS)
def test_curious_agents_keep_the_contract(name: str) -> None:
    spec = replace(spec_of(3, 3), task={"size": Box(low=0.0, high=1.0)})
    check.agent(AGENTS[name], spec).raise_if_broken()


def test_it_finds_the_end_of_a_corridor_that_chance_does_not() -> None:
    """Twelve rooms in a row; one choice leads on, the others back to the first. Nothing is ever rewarded."""
    rooms, rows = 12, 16
    learner = DQN(units=32, epsilon_updates=1, final_epsilon=0.1, discount=0.95)
    agent = counting(agent=ModelFree(learner=learner, memory=Ring(bytes=1_000_000), batch=64), weight=1.0)

    def tick(carry: Any, item: Any) -> Any:
        state, step, far = carry
        key, clock = item
        state, action = agent.act(key, state)
        at = jnp.argmax(step.observation, -1)
        then = jnp.where(step.last, 0, jnp.where(action == 2, jnp.minimum(at + 1, rooms - 1), 0))
        kind = jnp.where(step.last, FIRST, jnp.where(clock % 20 == 19, TRUNCATED, MID)).astype(jnp.int8)
        next = TimeStep(kind=kind, observation=jax.nn.one_hot(then, rooms), reward=jnp.zeros(rows))
        state, _ = agent.see(key, state, next)
        state, _ = agent.remember(key, state, lived(step, action, next))
        return (agent.learn(key, state)[0], next, jnp.maximum(far, then.max())), None

    first = replace(step_of(np.eye(rooms)[np.zeros(rows, int)], FIRST), reward=np.zeros(rows, np.float32))
    state = begun(agent, first)
    steps = 1500
    items = (jax.random.split(KEY, steps), jnp.arange(steps))
    (_, _, far), _ = jax.jit(lambda carry: jax.lax.scan(tick, carry, items))((state, first, jnp.int32(0)))
    # by chance, 16 rows would take 4^11 / 16 decisions each, a quarter of a million
    assert int(far) == rooms - 1
