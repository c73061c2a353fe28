"""The body under its two drivers, and the parts around it."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from drawing_agents import Drawing

from umwelt.behaviours import DQN, ModelFree, ModelPredictive, RandomAgent
from umwelt.check.base import same_values
from umwelt.core import Experience, TimeStep, keys, part, static, struct
from umwelt.core.drive import scan_some
from umwelt.life.body import Body
from umwelt.life.composition import Life
from umwelt.life.engine import Engine
from umwelt.life.programs import Ticks, Whole
from umwelt.life.rhythm import Rhythm
from umwelt.memory.ring import Ring
from umwelt.models import Ensemble, Losse
from umwelt.planners import Shooting
from umwelt.teachers import Blocks
from umwelt.worlds import Cartpole, Pendulum

PLANNER = Shooting(samples=8, horizon=3)
STREAMER = ModelPredictive(model=Losse(warm_up=10), planner=PLANNER)


@struct
class Lessons:
    """number: int32 [], rounds of learning. drawn: uint32 [], the sum of what they drew."""

    number: Any
    drawn: Any
    rows: Any
    action_space: Any = static()


@part
class Counting(Drawing):
    """Acts at random, and counts its lessons."""

    def init(self, key: Any, spec: Any) -> Lessons:
        rows = jnp.zeros(spec.batch, jnp.int8)
        return Lessons(number=jnp.int32(0), drawn=jnp.uint32(0), rows=rows, action_space=spec.action)

    def learn(self, key: Any, state: Lessons) -> tuple[Lessons, Any]:
        number, drawn = state.number + 1, state.drawn + jax.random.bits(key)
        return dataclasses.replace(state, number=number, drawn=drawn), {"lessons": number}


def lived(driver: str, agent: Any, ticks: int = 60, batch: int = 2, seeds: int = 1, seed: int = 0) -> tuple[Any, list[Any]]:
    rhythm = Rhythm(random=20, learn_every=10, updates=1, chunk=20)
    teacher = Blocks(names=("earth", "moon"), steps=15)
    world = Pendulum(batch=batch, time_limit=12)
    life = Life(world=world, agent=agent, teacher=teacher, rhythm=rhythm, driver=driver, seeds=seeds, seed=seed)
    engine, records = Engine(life), []
    value, clock = engine.begin(), 0
    while clock < ticks:
        segment = rhythm.segment(clock, ticks)
        value, (record, _) = engine.advance(value, segment)
        records.append(record)
        clock += segment.ticks
    return value, jax.tree.map(lambda *leaves: np.concatenate(leaves, axis=1), *records)


@pytest.mark.exact
@pytest.mark.parametrize("agent", [RandomAgent(), STREAMER], ids=["random", "losse"])
def test_both_drivers_live_the_same_life(agent: Any) -> None:
    whole, records = lived("scan", agent)
    hosted, listed = lived("host", agent)
    assert same_values(records, listed, "record") == ""
    assert same_values(whole, hosted, "life") == ""


def test_the_stream_of_a_life_keeps_its_convention() -> None:
    (_, mind), record = lived("scan", RandomAgent())
    kind, returns, reward, length = (np.asarray(leaf[0]) for leaf in (record.kind, record.returns, record.reward, record.length))
    assert (kind[11] == 3).all()  # a limit of 12 decisions: the twelfth truncates
    assert (kind[12] == 0).all()  # and the next step is FIRST
    assert (reward[12] == 0).all()
    assert np.allclose(returns[11], reward[:12].sum(axis=0), rtol=1e-6)
    assert (length[11] == 12).all()
    assert (length[12] == 0).all()
    assert int(mind.clock) == 60
    gravity = np.asarray(record.task.gravity[0])
    first = np.flatnonzero(kind[:, 0] == 0)
    changes = np.flatnonzero(np.diff(gravity[:, 0])) + 1
    assert set(changes) <= set(first)  # a task begins only with an episode
    assert len(changes) == 1


def test_several_seeds_at_once_are_the_single_ones() -> None:
    _, together = lived("scan", RandomAgent(), seeds=2)
    for seed in range(2):
        _, alone = lived("scan", RandomAgent(), seed=seed)
        one = jax.tree.map(lambda leaf: leaf[seed : seed + 1], together)  # noqa: B023
        assert same_values(one, alone, f"seed {seed} ", tolerance=1e-5) == ""


def test_learning_is_compiled_once_for_first_updates_and_for_stretches_of_all_lengths() -> None:
    rhythm = Rhythm(random=20, learn_every=5, updates=2, first_updates=7, chunk=20)
    teacher = Blocks(names=("earth",), steps=100)
    engine = Engine(Life(world=Pendulum(), agent=Counting(), teacher=teacher, rhythm=rhythm, seeds=2))
    value, clock, lessons = engine.begin(), 0, []
    while clock < 58:
        segment = rhythm.segment(clock, 58)
        clock += segment.ticks
        value, (records, infos) = engine.advance(value, segment)
        assert records.reward.shape == (2, segment.ticks, 1)
        assert (records.reward != 0).all()
        lessons.append(infos["lessons"].tolist())
    assert lessons == [[[7]] * 2, [[9, 11, 13, 15]] * 2, [[17, 19, 21]] * 2, [[23]] * 2]
    assert int(value[1].clock[0]) == 58
    programs = engine.programs
    assert isinstance(programs, Whole)
    assert programs.segment.cache_info().currsize == 2  # the random decisions, and all others
    assert programs.segment(rhythm.whole)._cache_size() == 1
    # by hand: what each round draws hangs on the clock and on its number alone
    for seed, drawn in enumerate(value[1].agent.drawn):
        rounds = [(20, 7), *((clock, 2) for clock in (25, 30, 35, 40, 45, 50, 55, 58))]
        key = {clock: keys.fold(jax.random.fold_in(jax.random.key(seed), clock), "learn") for clock, _ in rounds}
        draws = [jax.random.bits(jax.random.fold_in(key[clock], index)) for clock, many in rounds for index in range(many)]
        assert int(drawn) == sum(int(draw) for draw in draws) % 2**32


def test_records_have_room_for_what_is_lived_where_learning_is_rare() -> None:
    rhythm = Rhythm(random=0, learn_every=10**9, updates=2, chunk=20)
    engine = Engine(Life(world=Pendulum(), agent=Counting(), teacher=Blocks(names=("earth",), steps=100), rhythm=rhythm))
    _, (records, infos) = engine.advance(engine.begin(), rhythm.segment(0, 30))
    assert records.reward.shape == (1, 30, 1)
    assert infos["lessons"].tolist() == [[2]]


def test_a_hosted_world_need_not_wait_until_the_agent_has_learned() -> None:
    rhythm = Rhythm(random=0, learn_every=2, updates=1, chunk=6)
    life = Life(world=Pendulum(), agent=Counting(), teacher=Blocks(names=("earth",), steps=100), rhythm=rhythm, driver="host")
    engine = Engine(life)
    programs, decided, done = engine.programs, [], []
    assert isinstance(programs, Ticks)
    turn, step = programs.turn("explore"), programs.step

    def noted_turn(*arguments: Any) -> Any:
        mind, record = turn(*arguments)
        decided.append(mind.decision.action)
        return mind, record

    def noted_step(key: Any, state: Any, action: Any, task: Any) -> Any:
        done.append(action)
        return step(key, state, action, task)

    value = engine.begin()
    programs.turn, programs.step = lambda mode: noted_turn, noted_step
    value, _ = engine.advance(value, rhythm.segment(0, 6))
    assert int(value[1].agent.number) == 3
    # the very arrays of the turn, which no lesson has passed through: they are there before it ends
    assert [after is before for before, after in zip(decided, done[1:], strict=False)] == [True] * 5


def test_a_compiled_life_copies_no_memory() -> None:
    rhythm = Rhythm(random=20, learn_every=1, updates=1, first_updates=3, chunk=20)
    agent = ModelFree(learner=DQN(units=4), memory=Ring(bytes=30_000_000), batch=8)
    engine = Engine(Life(world=Cartpole(), agent=agent, teacher=Blocks(names=("earth",), steps=100), rhythm=rhythm))
    segment = rhythm.segment(20, 33)
    programs = engine.programs
    assert isinstance(programs, Whole)
    run = programs.segment(programs.program_of(segment))
    program = run.lower(engine.form(), programs.dose(segment)).compile()
    assert program.memory_analysis().temp_size_in_bytes < 3_000_000


def test_some_of_a_loop_is_the_head_of_the_whole() -> None:
    def body(carry: jax.Array, _: None) -> tuple[jax.Array, dict[str, jax.Array]]:
        return carry * 2, {"seen": carry + 1}

    for count in (0, 2, 5):
        carry, found = jax.jit(lambda count: scan_some(body, jnp.int32(3), count, 5))(count)
        assert int(carry) == 3 * 2**count
        assert found["seen"].tolist() == [3 * 2**index + 1 for index in range(count)] + [0] * (5 - count)


def test_the_rhythm_depends_on_the_clock_alone_and_covers_every_tick() -> None:
    rhythm = Rhythm(study=8, random=27, warm=11, learn_every=10, updates=2, first_updates=7, chunk=30, probe_every=50)
    for end in (1, 34, 35, 36, 46, 200, 203):
        clock, cuts = 0, []
        while clock < end:
            segment = rhythm.segment(clock, end)
            assert segment.ticks >= 1
            assert segment.wakes == (clock + segment.ticks == 8)
            clock += segment.ticks
            cuts.append((clock, segment.mode, segment.updates))
        assert clock == end
        assert all((at in [cut[0] for cut in cuts]) for at in range(50, end, 50))
        assert {cut[1] for cut in cuts if cut[0] <= 8} <= {"study"}
        assert {cut[1] for cut in cuts if 8 < cut[0] <= 35} <= {"random"}
        assert {cut[1:] for cut in cuts if 35 < cut[0] <= 46} <= {("explore", 0)}
        assert {cut[1:] for cut in cuts if cut[0] > 46} <= {("explore", 2)}
        if end >= 35:
            assert (35, "random", 7) in cuts


def test_an_engine_refuses_what_cannot_be_compiled() -> None:
    life = Life(world=Pendulum(), agent=RandomAgent(), teacher=Blocks(), driver="sideways")
    with pytest.raises(ValueError, match="driver"):
        Engine(life)
    with pytest.raises(ValueError, match="seeds"):
        Engine(dataclasses.replace(life, driver="host", seeds=2))


def test_a_model_that_replays_needs_a_memory() -> None:
    agent = ModelPredictive(model=Ensemble(), planner=PLANNER)
    with pytest.raises(ValueError, match="memory"):
        agent.init(jax.random.key(0), Pendulum().spec)


def test_a_tick_by_hand_is_what_the_body_does() -> None:
    """See, remember, tell, ask, act with the keys of the clock: written out once more, from the contracts alone."""
    world, teacher = Pendulum(), Blocks(names=("earth", "moon"), steps=1)
    body = Body(world=world, agent=STREAMER, teacher=teacher)
    key = jax.random.key(3)
    agent, taught, task = body.create(key)
    state, step = world.init(jax.random.key(9), task)
    mind = body.open("random", key, agent, taught, task, step)
    state, after = world.step(jax.random.key(8), state, mind.decision.action, mind.decision.next_task)
    now, record = body.turn("random", mind, after)

    seeing, remembering = (keys.fold(jax.random.fold_in(key, 1), name) for name in ("see", "remember"))
    seen, info = STREAMER.see(seeing, mind.agent, after)
    surprise = info["surprise"]
    origin = jnp.zeros(1, jnp.int8)
    experience = Experience(step=step, action=mind.decision.action, next=after, origin=origin, task=task, surprise=surprise)
    kept, learned = STREAMER.remember(remembering, seen, experience)
    acted, action = STREAMER.act(keys.fold(jax.random.fold_in(key, 1), "act"), kept, "random")
    assert same_values(now.agent, acted, "the agent") == ""
    assert same_values(now.decision.action, action, "the action") == ""
    assert float(record.surprise[0]) == float(surprise[0]) > 0
    assert set(record.extra) == (set(info) | set(learned)) - {"surprise", "doubt"}
    # the belief that is kept is the one whose surprise was recorded, and learning did not touch it
    assert same_values(now.agent.belief, seen.belief, "the belief") == ""
    assert float(now.decision.next_task.gravity[0]) == pytest.approx(1.62)


@part
class Reaching(Pendulum):
    """What it observes achieves twice that."""

    def achieved(self, observation: Any) -> Any:
        return 2.0 * observation


@part
class Closed:
    """Lets no capability through."""

    inner: Any
    passes = ()

    spec = property(lambda self: self.inner.spec)

    def tasks(self) -> Any:
        return self.inner.tasks()


@pytest.mark.parametrize("world", [Reaching(), Closed(inner=Reaching())], ids=["reaches", "closed"])
def test_feedback_holds_what_was_reached_where_the_world_knows_it(world: Any) -> None:
    received = []

    @part
    class Listening(Blocks):
        def tell(self, key: Any, state: Any, tasks: Any, feedback: Any) -> Any:
            received.append(feedback)
            return state

    body = Body(world=world, agent=RandomAgent(), teacher=Listening(names=("earth",)))
    agent, taught, task = body.create(jax.random.key(0))
    _, step = Pendulum().init(jax.random.key(1), task)
    mind = body.open("explore", jax.random.key(0), agent, taught, task, step)
    after = TimeStep(kind=jnp.full(1, 3, jnp.int8), observation=jnp.full((1, 3), 0.5), reward=jnp.full(1, -2.0))
    body.turn("explore", mind, after)
    feedback = received[0]
    assert (feedback.finished.tolist(), feedback.returns.tolist(), feedback.length.tolist()) == ([True], [-2.0], [1])
    assert (feedback.reached is None) == isinstance(world, Closed)
    if feedback.reached is not None:
        assert feedback.reached.tolist() == [[1.0, 1.0, 1.0]]
