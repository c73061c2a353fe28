"""Learning beside deciding: which agents can, and that it changes nothing."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from drawing_agents import Drawing

from umwelt.behaviours import SAC, ModelFree
from umwelt.check.base import same_values
from umwelt.core import part, static, struct
from umwelt.life.beside import Narrow, traces
from umwelt.life.composition import Life
from umwelt.life.engine import Engine
from umwelt.life.programs import Ticks
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Ring
from umwelt.teachers import Blocks
from umwelt.worlds import Pendulum

REACTS = ModelFree(learner=SAC(units=16), memory=Ring(bytes=100_000), batch=8)


@struct
class Heads:
    """weight is learned and acted by, slope learned alone, seen acted by and learned from, count changed by acting;
    held is long, int32 [] each but held [5]. rows: int8 [B]."""

    weight: Any
    slope: Any
    seen: Any
    count: Any
    held: Any
    rows: Any
    action_space: Any = static()


@part
class Hand(Drawing):
    """Its action is its weight; how often it acted is learned from where `follows`."""

    follows: bool = False

    def init(self, key: Any, spec: Any) -> Heads:
        zero = jnp.int32(0)
        return Heads(weight=zero, slope=zero, seen=jnp.int32(7), count=zero, held=jnp.arange(5),
                     rows=jnp.zeros(spec.batch, jnp.int8), action_space=spec.action)  # fmt: skip

    def act(self, key: Any, state: Heads, mode: Any = "explore") -> tuple[Heads, Any]:
        # the length of `held` is known without its numbers
        action = (state.weight + state.seen).astype(jnp.float32) / (100.0 * state.held.shape[0])
        return dataclasses.replace(state, count=state.count + 1), jnp.broadcast_to(action, (state.rows.shape[0], 1))

    def learn(self, key: Any, state: Heads) -> tuple[Heads, Any]:
        slope = state.slope + state.seen
        weight = state.weight + slope + (state.count if self.follows else 0)
        return dataclasses.replace(state, weight=weight, slope=slope, held=state.held + 1), {"lessons": weight}


def begun(agent: Any, overlap: bool = True) -> tuple[Engine, Any, Rhythm]:
    rhythm = Rhythm(random=0, learn_every=1, updates=2, chunk=6)
    world = Pendulum(time_limit=5)
    life = Life(world=world, agent=agent, teacher=Blocks(names=("earth",), steps=100), rhythm=rhythm, driver="host")
    engine = Engine(life, overlap)
    return engine, engine.begin(), rhythm


def programs(engine: Engine) -> Ticks:
    assert isinstance(engine.programs, Ticks)
    return engine.programs


def test_what_methods_read_and_write_by_hand() -> None:
    engine, (_, mind), _ = begun(Hand())
    act = traces(lambda state: engine.life.agent.act(mind.key, state), mind.agent)
    learn = traces(lambda state: engine.life.agent.learn(mind.key, state), mind.agent)
    # weight, slope, seen, count, held, rows
    assert (act.reads, act.writes) == ((True, False, True, True, False, False), (False, False, False, True, False, False))
    assert (learn.reads, learn.writes) == ((True, True, True, False, True, False), (True, True, False, False, True, False))


def test_what_is_only_moved_is_read_where_it_was_and_written_where_it_goes() -> None:
    found = traces(lambda pair: ((pair[1], pair[1]), ()), (jnp.zeros(2), jnp.ones(2)))
    assert (found.reads, found.writes) == ((False, True), (True, False))


def narrow(function: Any, agent: Any) -> Narrow:
    return Narrow(function, traces(function, agent), agent, [True] * len(jax.tree.leaves(agent)))


def test_a_narrow_program_takes_what_is_read_and_gives_what_is_written() -> None:
    agent = {"ages": jnp.int32(3), "idle": jnp.zeros(1000), "key": jax.random.key(0), "shape": jnp.ones((2, 5))}
    grow = narrow(lambda agent: (agent | {"ages": agent["ages"] + 1}, agent["shape"].shape[1] * agent["ages"]), agent)
    leaves = jax.tree.leaves(agent)
    fresh, result = grow(leaves)
    assert ([int(leaf) for leaf in fresh], int(result)) == ([4], 15)
    assert leaves[0].is_deleted()  # written in place
    after = grow.put(leaves, fresh)
    assert int(after[0]) == 4
    assert after[1:] == leaves[1:]
    # of ages, idle, key and shape: what is used up, and what is lent, which a key always is, for nothing could stand for it
    assert grow._own == [True, False, False, False]
    assert grow._lent == [False, False, True, False]


def test_what_was_moved_outlives_the_place_that_it_was_moved_from() -> None:
    agent = (jnp.arange(3.0), jnp.zeros(3), jnp.zeros(3))
    keep = narrow(lambda agent: ((agent[0], agent[0], agent[0]), ()), agent)
    advance = narrow(lambda agent: ((agent[0] + 1, agent[1], agent[2]), ()), agent)
    leaves = list(agent)
    for _ in range(2):
        leaves = keep.put(leaves, keep(leaves)[0])
        leaves = advance.put(leaves, advance(leaves)[0])
    assert [leaf.tolist() for leaf in leaves] == [[2, 3, 4], [1, 2, 3], [1, 2, 3]]


@pytest.mark.parametrize("follows", [False, True])
def test_lessons_by_hand(follows: bool) -> None:
    """Each decision counts one and is made by the weight before its two lessons; the first was made at birth."""
    engine, value, rhythm = begun(Hand(follows=follows))
    weight, slope, actions, wanted = 0, 0, [], [7 / 500]
    for count in range(2, 8):
        wanted.append((weight + 7) / 500)
        for _ in range(2):
            slope += 7
            weight += slope + (count if follows else 0)
    step = programs(engine).step

    def noted(key: Any, state: Any, action: Any, task: Any) -> Any:
        actions.append(float(action[0, 0]))
        return step(key, state, action, task)

    programs(engine).step = noted
    (_, mind), (_, infos) = engine.advance(value, rhythm.segment(0, 6))
    beside = programs(engine).beside
    assert beside is not None
    assert beside.apart == (not follows)
    np.testing.assert_allclose(actions, wanted[:6], rtol=1e-6)
    assert float(mind.decision.action[0, 0]) == pytest.approx(wanted[6])
    assert (int(mind.agent.weight), int(mind.agent.slope), int(mind.agent.count)) == (weight, slope, 7)
    assert mind.agent.held.tolist() == [12, 13, 14, 15, 16]
    assert int(infos["lessons"][0, -1]) == weight


@pytest.mark.exact
def test_learning_beside_deciding_is_learning_after_it() -> None:
    lives = []
    for overlap in (True, False):
        engine, value, rhythm = begun(REACTS, overlap)
        records = []
        for clock in (0, 6):
            value, found = engine.advance(value, rhythm.segment(clock, 12))
            records.append(found)
        lives.append((value, records))
        beside = programs(engine).beside
        assert (beside is not None and beside.apart) == overlap
    assert same_values(*lives, "life") == ""


def test_learning_is_compiled_once_for_first_updates_and_for_all_others() -> None:
    engine, value, rhythm = begun(REACTS)
    rhythm = dataclasses.replace(rhythm, random=6, first_updates=4)
    for clock in (0, 6, 12):
        value, _ = engine.advance(value, rhythm.segment(clock, 17))
    beside = programs(engine).beside
    assert beside is not None
    assert [narrow._program._cache_size() for narrow in (beside._receive, beside._decide, beside._learn)] == [1, 1, 1]
    assert programs(engine).learn._cache_size() == 0


def test_a_lesson_that_fails_is_heard_of() -> None:
    engine, value, rhythm = begun(REACTS)
    value, _ = engine.advance(value, rhythm.segment(0, 6))
    beside = programs(engine).beside
    assert beside is not None

    def fails(*_: Any) -> Any:
        raise RuntimeError("out of ideas")

    beside._learn = fails
    with pytest.raises(RuntimeError, match="out of ideas"):
        engine.advance(value, rhythm.segment(6, 12))
