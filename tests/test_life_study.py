"""Shown experience and lessons without decisions: before a life acts, it learns from the experience of others."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from drawing_agents import Drawing

from umwelt.behaviours import SAC, Conservative, ModelFree, Standard
from umwelt.check.base import same_values
from umwelt.core import FIRST, MID, SHOWN, TERMINATED, Experience, Metric, TimeStep, host_scan, part, spaces, static, struct
from umwelt.life.api import fingerprints, live, resume
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.composition import BadLife, Life
from umwelt.life.engine import Engine
from umwelt.life.rhythm import Rhythm
from umwelt.life.showing import PIECE, cut, show
from umwelt.memory import Played, Ring
from umwelt.teachers import Blocks
from umwelt.worlds import Cartpole, Pendulum

READ: list[int] = []


@part
class Numbered:
    """Shows transitions whose reward is their number, counted from `first`, in pieces of `size` ticks; every fifth row is a
    seam. With `drawn`, the key adds up to that many transitions."""

    count: int = 700
    first: int = 0
    size: int = 300
    drawn: int = 0

    def read(self, key: jax.Array, spec: Any) -> Iterator[Experience]:
        READ.append(self.first)
        count = self.count + int(jax.random.randint(key, (), 0, self.drawn + 1))
        for begin in range(0, count, self.size):
            ticks = np.arange(begin, min(begin + self.size, count))
            shape = (len(ticks), spec.batch)
            number = np.broadcast_to((self.first + ticks)[:, None], shape).astype(np.float32)
            seam = np.broadcast_to((ticks % 5 == 4)[:, None], shape)

            def step(kind: Any, shape: Any = shape, number: Any = number) -> TimeStep:
                return TimeStep(kind=kind.astype(np.int8), observation=np.zeros((*shape, 3), np.float32), reward=number)

            yield Experience(
                step=step(np.where(seam, TERMINATED, MID)),
                action=np.zeros((*shape, 1), np.float32),
                next=step(np.where(seam, FIRST, MID)),
                origin=np.full(shape, SHOWN, np.int8),
                to_come=number,
            )


@struct
class Kept:
    """memory: a Ring's state. rounds: int32 [], of learning. sum: float32 [], of the rewards that they drew. gravity:
    float32 [B], the last that was remembered. decisions, sights: int32 []."""

    memory: Any
    rounds: Any
    sum: Any
    gravity: Any
    decisions: Any
    sights: Any
    rows: Any
    action_space: Any = static()


@part
class Keeping(Drawing):
    """Keeps what it is shown, and counts its lessons, decisions and sights."""

    memory: Any = Ring(bytes=1_000_000)
    metrics: tuple[Any, ...] = (Metric(name="lessons", unit="", meaning="rounds of learning"),)

    def init(self, key: Any, spec: Any) -> Kept:
        zeros = jnp.zeros(spec.batch, jnp.int8)
        step = TimeStep(kind=zeros, observation=spaces.zeros(spec.observation, spec.batch), reward=zeros.astype(jnp.float32))
        task = spaces.zeros(spec.task, spec.batch)
        action = spaces.zeros(spec.action, spec.batch)
        example = Experience(step=step, action=action, next=step, origin=zeros, task=task, surprise=step.reward)
        zero = jnp.int32(0)
        return Kept(memory=self.memory.init(example), rounds=zero, sum=jnp.float32(0), gravity=step.reward, decisions=zero,
                    sights=zero, rows=zeros, action_space=spec.action)  # fmt: skip

    def see(self, key: Any, state: Kept, step: Any) -> Any:
        nothing = jnp.full(step.kind.shape, jnp.nan, jnp.float32)
        return dataclasses.replace(state, sights=state.sights + 1), {"surprise": nothing, "doubt": nothing}

    def act(self, key: Any, state: Kept, mode: Any = "explore") -> Any:
        # shows at which lesson it was decided
        action = jnp.full((state.rows.shape[0], 1), 0.01) * state.rounds
        return dataclasses.replace(state, decisions=state.decisions + 1), action

    def remember(self, key: Any, state: Kept, experience: Any) -> Any:
        memory = self.memory.add(key, state.memory, experience)
        return dataclasses.replace(state, memory=memory, gravity=experience.task.gravity), {}

    def learn(self, key: Any, state: Kept) -> Any:
        drawn = self.memory.sample(key, state.memory, (4,)).next.reward.sum()
        state = dataclasses.replace(state, rounds=state.rounds + 1, sum=state.sum + drawn)
        return state, {"lessons": state.rounds.astype(jnp.float32)}


def life(**options: Any) -> Life:
    made: dict[str, Any] = {
        "world": Pendulum(time_limit=10),
        "agent": Keeping(),
        "teacher": Blocks(names=("earth", "moon"), steps=5),
    }
    return Life(**{**made, "rhythm": Rhythm(study=7, random=0, updates=3, chunk=4, probe_episodes=1), **options})


def test_pieces_are_cut_anew_and_padded_with_rows_that_no_memory_keeps() -> None:
    pieces = list(cut(Numbered(count=25, size=7).read(jax.random.key(0), Pendulum(batch=2).spec), 10))
    assert [piece.next.reward.shape for piece in pieces] == [(10, 2)] * 3
    whole = np.concatenate([piece.next.reward for piece in pieces])
    assert whole[:25, 1].tolist() == list(range(25))
    assert not pieces[2].valid[5:].any()
    assert sum(piece.valid.sum() for piece in pieces) == 2 * 20  # every fifth is a seam


@pytest.mark.parametrize(("driver", "seeds"), [("scan", 1), ("host", 1), ("scan", 2)])
def test_the_agent_remembers_all_that_is_shown_once_and_before_its_first_decision(driver: str, seeds: int) -> None:
    notes: list[tuple[str, str]] = []
    sources = (Numbered(count=700, drawn=9 if seeds > 1 else 0), Numbered(count=100, first=10_000))
    engine = Engine(life(shown=sources, driver=driver, seeds=seeds, seed=5))
    engine.check()
    READ.clear()
    _, mind = engine.begin(lambda *note: notes.append(note))
    assert [0] * seeds + [10_000] * seeds == READ
    for seed in range(seeds):
        agent = mind.agent if seeds == 1 else jax.tree.map(lambda leaf: leaf[seed], mind.agent)  # noqa: B023
        held = sorted(agent.memory.rows.next.reward[: int(agent.memory.filled)].tolist())
        shown = [number for number in held if number < 10_000]
        assert shown == [number for number in range(int(shown[-1]) + 1) if number % 5 != 4]
        assert len(shown) >= 560
        assert held[len(shown) :] == [10_000 + number for number in range(100) if number % 5 != 4]
        assert (int(agent.decisions), int(agent.sights)) == (1, 1)
        assert agent.gravity.tolist() == [10.0]  # the world's default task, because the source names none
        assert np.isnan(agent.memory.rows.surprise[: len(held)]).all()
        assert (agent.memory.rows.origin[: len(held)] == SHOWN).all()
    assert [name for name, _ in notes] == ["shown"] * 2
    assert notes[1][1] == "Numbered showed 80 transitions"
    if seeds == 1:
        assert notes[0][1] == "Numbered showed 560 transitions"


def test_a_memory_that_is_too_small_is_no_silence() -> None:
    agent = Keeping(memory=Ring(bytes=3_000))
    notes: list[str] = []
    _, mind = Engine(life(agent=agent, shown=(Numbered(count=PIECE + 44),))).begin(lambda _, message: notes.append(message))
    held = int(mind.agent.memory.filled)
    assert held < 240
    assert notes[-1] == f"{held:,} of 240 transitions fit into memory; give it more bytes to keep them all"


def test_what_does_not_fit_the_world_is_refused() -> None:
    @part
    class Two(Numbered):
        def read(self, key: Any, spec: Any) -> Any:
            return super().read(key, dataclasses.replace(spec, batch=2))

    with pytest.raises(BadLife, match="streams of 2 rows, where the world has 1"):
        Engine(life(shown=(Two(),))).begin()
    with pytest.raises(BadLife, match=r"observations of shapes \[\(3,\)\], where the world cartpole"):
        Engine(life(shown=(Numbered(),), world=Cartpole(), teacher=Blocks())).begin()
    with pytest.raises(BadLife, match=r"shown: 3 has no `read"):
        Engine(life(shown=(3,))).check()


@pytest.mark.parametrize("discount", [None, 0.9])
def test_rewards_to_come_have_the_discount_of_an_agent_that_reads_them(discount: float | None) -> None:
    """Two episodes of 300 decisions in one row, so that the second lies in three pieces."""
    remembered = []

    @part
    class Gathering:
        discount_to_come = discount

        def remember(self, key: Any, state: Any, experience: Any) -> Any:
            remembered.append(jax.tree.map(lambda leaf: np.asarray(leaf)[0], experience))
            return state, {}

    world = Pendulum(time_limit=300)
    made = life(world=world, agent=Gathering(), shown=(Played(world=world, episodes=2),))
    show(made, jax.random.key(0), None, lambda function, **_: function, host_scan, lambda *_: None)
    rows = [one for one in remembered if one.valid]
    assert len(rows) == 600
    reward = np.array([one.next.reward for one in rows]).reshape(2, 300)
    powers = (discount or 1.0) ** np.arange(300)
    wanted = [[powers[: 300 - begin] @ episode[begin:] for begin in range(300)] for episode in reward]
    np.testing.assert_allclose([one.to_come for one in rows], np.ravel(wanted), rtol=1e-4, atol=1e-3)


def test_a_model_free_agent_asks_for_the_discount_of_a_learner_that_reads_rewards_to_come() -> None:
    for learner, asked in ((SAC(discount=0.97, conservative=Conservative(calibrated=True)), 0.97), (SAC(), None)):
        agent = ModelFree(learner=Standard(learner=learner), memory=Ring(bytes=100_000))
        assert agent.discount_to_come == asked


def test_a_study_is_lessons_on_the_clock_and_ends_with_a_decision_of_what_was_learned() -> None:
    lives = []
    for driver in ("scan", "host"):
        made = life(driver=driver)
        engine, clock, seen = Engine(made), 0, []
        value = engine.begin()
        first = value[1].decision.key.tolist()
        while clock < 7:
            segment = made.rhythm.segment(clock, 9)
            value, (records, infos) = engine.advance(value, segment)
            clock += segment.ticks
            assert records is None
            seen += infos["lessons"][0].tolist()
            assert int(value[1].clock) == clock
        assert seen == [3, 6, 9, 12, 15, 18, 21]
        mind = value[1]
        assert (int(mind.agent.rounds), int(mind.agent.decisions), int(mind.agent.sights)) == (21, 2, 2)
        assert float(mind.decision.action[0, 0]) == pytest.approx(0.21)
        assert int(mind.teacher.asked) == 2, "the first task, and that of the first decision; lessons ask for none"
        assert mind.decision.key.tolist() == first
        lives.append(value)
    assert same_values(*lives, "life") == ""


def test_warm_decisions_are_chosen_and_teach_nothing() -> None:
    made = life(rhythm=Rhythm(study=0, random=3, warm=5, learn_every=2, updates=1, chunk=4))
    engine, clock, rounds = Engine(made), 0, []
    value = engine.begin()
    while clock < 12:
        segment = made.rhythm.segment(clock, 12)
        value, (_, infos) = engine.advance(value, segment)
        clock += segment.ticks
        rounds.append((clock, segment.mode, int(value[1].agent.rounds), sorted(infos)))
    assert rounds == [(3, "random", 0, []), (7, "explore", 0, []), (8, "explore", 0, []), (12, "explore", 2, ["lessons"])]


def test_a_life_of_study_alone_is_probed_written_down_and_resumed_without_its_source(tmp_path: Path) -> None:
    made = life(
        shown=(Numbered(),),
        rhythm=Rhythm(study=12, updates=2, chunk=4, probe_every=6, probe_episodes=1, record_every=3, save_seconds=0.0),
    )
    with pytest.raises(BadLife, match="steps: 0"):
        live(dataclasses.replace(made, rhythm=Rhythm()), steps=0, lives=tmp_path)
    phases = []
    READ.clear()
    living = live(made, steps=0, name="whole", lives=tmp_path, on_progress=lambda progress: phases.append(progress))
    assert (living.end, living.progress.clock, living.progress.decisions) == (12, 12, 0)
    assert "study" in {progress.phase for progress in phases}
    assert READ == [0]
    with Chronicle.read(living.folder.chronicle) as chronicle:
        probes = chronicle.probes()
        assert sorted(set(probes["clock"].tolist())) == [0, 6, 12]
        assert set(probes["task"].tolist()) == {"earth", "moon"}
        lessons = chronicle.series("lessons")
        assert lessons["clock"].tolist() == [3, 4, 6, 9, 10, 12]
        assert lessons["value"].tolist() == [6, 8, 12, 18, 20, 24]
        assert len(chronicle.episodes()["row"]) == 0
        assert ("shown", "Numbered showed 560 transitions") in [(e["name"], e["message"]) for e in events(chronicle)]

    def crash(progress: Any) -> None:
        if progress.phase == "study" and progress.clock >= 8:
            raise RuntimeError("out of power")

    with pytest.raises(RuntimeError, match="out of power"):
        live(made, steps=0, name="broken", lives=tmp_path, on_progress=crash)
    READ.clear()
    assert resume(tmp_path / "broken", steps=0).end == 12
    assert READ == []
    assert fingerprints(tmp_path / "broken") == fingerprints(tmp_path / "whole")


def test_a_panel_of_its_own_comes_before_the_teachers() -> None:
    from umwelt.life.exams.examine import panel_of

    assert list(panel_of(life())) == ["earth", "moon"]
    assert list(panel_of(life(panel=("moon",)))) == ["moon"]
    assert list(panel_of(life(panel=("moon",)), ("earth",))) == ["earth"]
    assert list(panel_of(life(teacher=Blocks()))) == ["earth"]
    with pytest.raises(BadLife, match="none called mars"):
        panel_of(life(panel=("mars",)))


def events(chronicle: Chronicle) -> list[dict[str, Any]]:
    found = chronicle.events()
    return [dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True)]
