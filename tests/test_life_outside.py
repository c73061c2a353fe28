"""Minds in plain Python, and what a compiled mind does between two stretches: it consults, and its teacher reflects."""

import dataclasses
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from drawing_agents import Drawing

from umwelt.check.base import same_values
from umwelt.core import Metric, keys, part, struct
from umwelt.evaluation.proctor import Proctor
from umwelt.life.api import fingerprints, live, resume
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.composition import BadLife, Life
from umwelt.life.engine import Engine
from umwelt.life.exams import cost
from umwelt.life.exams.examine import repeated
from umwelt.life.rhythm import Rhythm
from umwelt.teachers import Blocks
from umwelt.worlds import Pendulum

RHYTHM = Rhythm(random=3, learn_every=2, updates=2, chunk=4, probe_episodes=1, save_seconds=0.0)
UNTAUGHT = dataclasses.replace(RHYTHM, random=0, updates=0, probe_episodes=0)
"""Stretches of one length, in which no agent learns and none is examined."""
LESSONS = Metric(name="lessons", unit="", meaning="rounds of learning")


@struct
class Diary:
    """text: bytes, one letter for each sight, decision, memory and lesson. angle: float, of the last step. rows: int."""

    text: bytes
    angle: Any
    rows: Any


@part
class Writing:
    """Keeps a diary, in plain Python, and pushes by how often each letter stands in it."""

    hosted = True
    metrics: tuple[Any, ...] = (LESSONS,)

    def init(self, key: Any, spec: Any) -> Diary:
        return Diary(text=b"", angle=np.zeros(spec.batch), rows=np.asarray(spec.batch))

    def see(self, key: Any, state: Diary, step: Any) -> Any:
        angle = np.asarray(step.observation)[:, 0].astype(np.float64)
        nothing = np.full(len(angle), np.nan, np.float32)
        return dataclasses.replace(state, text=state.text + b"s", angle=angle), {"surprise": nothing, "doubt": nothing}

    def act(self, key: Any, state: Diary, mode: Any = "explore") -> Any:
        push = 0.01 * state.text.count(b"s") - 0.02 * state.text.count(b"l")
        action = np.full((int(state.rows), 1), push + (1.0 if mode == "random" else 0.0), np.float32)
        return dataclasses.replace(state, text=state.text + b"a"), action

    def remember(self, key: Any, state: Diary, experience: Any) -> Any:
        assert not bool(np.any(experience.origin))
        return dataclasses.replace(state, text=state.text + b"r"), {}

    def learn(self, key: Any, state: Diary) -> Any:
        text = state.text + b"l"
        return dataclasses.replace(state, text=text), {"lessons": np.float32(text.count(b"l"))}

    def embody(self, key: Any, state: Diary, spec: Any) -> Diary:
        return dataclasses.replace(state, angle=np.zeros(spec.batch), rows=np.asarray(spec.batch))

    def imagine(self, key: Any, state: Diary, actions: Any) -> None:
        return None


@struct
class Tallies:
    """sights, lessons: int32 []. rows: int8 [B]."""

    sights: Any
    lessons: Any
    rows: Any


@part
class Counting(Drawing):
    """The pure twin of `Writing`."""

    metrics: tuple[Any, ...] = (LESSONS,)

    def init(self, key: Any, spec: Any) -> Tallies:
        return Tallies(sights=jnp.int32(0), lessons=jnp.int32(0), rows=jnp.zeros(spec.batch, jnp.int8))

    def see(self, key: Any, state: Tallies, step: Any) -> Any:
        _, info = Drawing().see(key, state, step)
        return dataclasses.replace(state, sights=state.sights + 1), info

    def act(self, key: Any, state: Tallies, mode: Any = "explore") -> Any:
        push = 0.01 * state.sights - 0.02 * state.lessons + (1.0 if mode == "random" else 0.0)
        return state, jnp.full((state.rows.shape[0], 1), push, jnp.float32)

    def learn(self, key: Any, state: Tallies) -> Any:
        lessons = state.lessons + 1
        return dataclasses.replace(state, lessons=lessons), {"lessons": lessons.astype(jnp.float32)}

    def embody(self, key: Any, state: Tallies, spec: Any) -> Tallies:
        return dataclasses.replace(state, rows=jnp.zeros(spec.batch, jnp.int8))


def life(agent: Any, **options: Any) -> Life:
    teacher = Blocks(names=("earth", "moon"), steps=5)
    return Life(**{"world": Pendulum(batch=2, time_limit=6), "agent": agent, "teacher": teacher, "rhythm": RHYTHM, **options})


def ran(made: Life, ticks: int = 14) -> tuple[Any, list[Any]]:
    engine, clock, found = Engine(made), 0, []
    value = engine.begin()
    while clock < ticks:
        segment = made.rhythm.segment(clock, ticks)
        value, written = engine.advance(value, segment)
        found.append(written)
        clock += segment.ticks
    return value, found


def test_a_hosted_mind_does_what_its_pure_twin_does_compiled() -> None:
    (_, hosted), written = ran(life(Writing()))
    (_, pure), compiled = ran(life(Counting(), driver="host"))
    assert same_values(written, compiled, "records", tolerance=1e-5) == ""
    assert same_values(hosted.decision.action, pure.decision.action, "action", tolerance=1e-5) == ""
    counts = {letter: hosted.agent.text.count(letter.encode()) for letter in "sarl"}
    assert counts == {"s": 15, "a": 15, "r": 14, "l": int(pure.agent.lessons)}
    assert hosted.agent.text.startswith(b"sasrasrasra")  # sees, then remembers, then acts


def test_a_hosted_mind_is_refused_where_it_would_be_compiled() -> None:
    with pytest.raises(BadLife, match="driver: the agent Writing is hosted and cannot be compiled; use host or auto"):
        Engine(life(Writing(), driver="scan"))
    with pytest.raises(BadLife, match="seeds: 2 lives at once need a pure world and a pure agent"):
        Engine(life(Writing(), seeds=2))

    @part
    class Around(Drawing):
        model: Any = None

    with pytest.raises(BadLife, match="driver: the agent Around is hosted"):
        Engine(life(Around(model=Writing()), driver="scan"))


def crash_at(clock: int) -> Any:
    def crash(progress: Any) -> None:
        if progress.phase == "live" and progress.clock >= clock:
            raise RuntimeError("out of power")

    return crash


def test_a_hosted_mind_is_saved_and_resumed_like_any_other(tmp_path: Path) -> None:
    made = life(Writing(), panel=("earth",))
    live(made, steps=20, name="whole", lives=tmp_path)
    with pytest.raises(RuntimeError, match="out of power"):
        live(made, steps=20, name="broken", lives=tmp_path, on_progress=crash_at(6))
    resume(tmp_path / "broken")
    assert fingerprints(tmp_path / "broken") == fingerprints(tmp_path / "whole")


def test_a_hosted_mind_is_examined_as_its_pure_twin_is() -> None:
    tasks = repeated(life(Writing()).teacher.panel(Pendulum().tasks()), 2)
    diary = Diary(text=b"sssssll", angle=np.zeros(1), rows=np.asarray(1))
    tallies = Tallies(sights=jnp.int32(5), lessons=jnp.int32(2), rows=jnp.zeros(1, jnp.int8))
    exams, films = [], []
    for agent, state in ((Writing(), diary), (Counting(), tallies)):
        proctor = Proctor(agent, lambda rows: Pendulum(batch=rows, time_limit=6))
        exams.append(proctor.examine(jax.random.key(1), state, tasks))
        films.append(proctor.film(jax.random.key(1), state, tasks, 2, 3))
    assert np.allclose(exams[0].returns, exams[1].returns, rtol=1e-5)
    assert exams[0].length.tolist() == exams[1].length.tolist() == [6] * 4
    assert np.allclose(films[0].observation, films[1].observation, atol=1e-5)
    assert films[0].state is None
    assert exams[0].agent.text == b"sssssll" + b"sa" * 7


def test_what_a_decision_of_a_hosted_mind_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "SECONDS", 0.01)
    made = life(Writing())
    found = cost.dissect(made, Engine(made).begin()[1])
    assert set(found) == {"acting", "planning", "learning", "world"}
    assert min(found["acting"], found["learning"], found["world"]) > 0


@struct
class Question:
    """asked: int32 [], the sights when it was last asked. answer: float32 [], the last answer."""

    asked: Any
    answer: Any

    def consult(self, outside: Any) -> "Question":
        question = f"what is twice {int(self.asked)}?"
        outside.note("consulted", question)
        return dataclasses.replace(self, answer=jnp.float32(outside.answer([question])[0]))


@struct
class Curious:
    """question: Question. rows: int8 [B]. action_space: a space."""

    question: Any
    rows: Any


@part
class Asking(Drawing):
    """Asks after its sights, and pushes by the last answer."""

    def init(self, key: Any, spec: Any) -> Curious:
        return Curious(question=Question(asked=jnp.int32(0), answer=jnp.float32(0)), rows=jnp.zeros(spec.batch, jnp.int8))

    def see(self, key: Any, state: Curious, step: Any) -> Any:
        _, info = Drawing().see(key, state, step)
        question = dataclasses.replace(state.question, asked=state.question.asked + 1)
        return dataclasses.replace(state, question=question), info

    def act(self, key: Any, state: Curious, mode: Any = "explore") -> Any:
        return state, jnp.full((state.rows.shape[0], 1), 0.01 * state.question.answer, jnp.float32)


@part
class Doubling:
    """A voice that can calculate."""

    def answer(self, questions: list[str]) -> list[str]:
        return [str(2 * int(question.split()[-1].rstrip("?"))) for question in questions]


@pytest.mark.parametrize("seeds", [1, 2])
def test_a_compiled_agent_reads_the_answer_one_stretch_later(seeds: int, tmp_path: Path) -> None:
    made = life(Asking(), voice=Doubling(), seeds=seeds, rhythm=UNTAUGHT)
    pushed: list[list[float]] = []

    def watch(progress: Any) -> None:
        if progress.phase == "save":
            pushed.append([])

    living = live(made, steps=12 * 2 * seeds, name="whole", lives=tmp_path, on_progress=watch)
    assert len(pushed) == 4  # a save at birth, and one after each of three stretches of four decisions
    with Chronicle.read(living.folder.chronicle) as chronicle:
        events = chronicle.events()
    asked = [str(message) for name, message in zip(events["name"], events["message"], strict=True) if name == "consulted"]
    assert asked == [f"what is twice {sights}?" for sights in (5, 9, 13) for _ in range(seeds)]
    _, mind = living.saver.load().value
    assert np.ravel(mind.agent.question.answer).tolist() == [26.0] * seeds
    # the last decision was made in the third stretch, which began with the answer to the second question
    assert np.allclose(np.ravel(mind.decision.action), 0.18)
    if seeds == 1:
        with pytest.raises(RuntimeError, match="out of power"):
            live(made, steps=24, name="broken", lives=tmp_path, on_progress=crash_at(8))
        resume(tmp_path / "broken")
        assert fingerprints(tmp_path / "broken") == fingerprints(tmp_path / "whole")


def test_a_state_that_consults_needs_a_voice() -> None:
    with pytest.raises(BadLife, match=r"voice: Question consults the outside, and this life has no voice; give Life\(voice"):
        Engine(life(Asking())).check()
    with pytest.raises(BadLife, match="voice: 3 has no `answer"):
        Engine(life(Asking(), voice=3)).check()
    Engine(life(Asking(), voice=Doubling())).check()


@struct
class Thoughts:
    """tasks: the default task [1]. heard: int32 [], steps. thought: uint32 [], what the last reflection drew. times: int32
    []."""

    tasks: Any
    heard: Any
    thought: Any
    times: Any


@part
class Reflecting:
    """Always asks for the default task, and counts how often it reflects."""

    metrics: tuple[Any, ...] = (Metric(name="steps_heard", unit="steps", meaning="steps until the last reflection"),)

    def init(self, key: Any, task_space: Any, named: Any) -> Thoughts:
        tasks = jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], next(iter(named.values())))
        zero = jnp.int32(0)
        return Thoughts(tasks=tasks, heard=zero, thought=jnp.uint32(0), times=zero)

    def ask(self, key: Any, state: Any, n: int) -> Any:
        return state, jax.tree.map(lambda leaf: jnp.broadcast_to(leaf[0], (n, *leaf.shape[1:])), state.tasks)

    def tell(self, key: Any, state: Any, tasks: Any, feedback: Any) -> Any:
        return dataclasses.replace(state, heard=state.heard + 1)

    def panel(self, named: Any) -> Any:
        return {}

    def reflect(self, key: Any, state: Any) -> Any:
        state = dataclasses.replace(state, thought=jax.random.bits(key), times=state.times + 1)
        return state, {"steps_heard": state.heard.astype(jnp.float32)}


@part
class Pondering(Reflecting):
    """Reflects in plain Python."""

    hosted = True

    def reflect(self, key: Any, state: Any) -> Any:
        heard = int(state.heard)
        state = dataclasses.replace(state, thought=np.uint32(jax.random.bits(key)), times=state.times + 1)
        return state, {"steps_heard": np.float32(heard)}


@pytest.mark.parametrize(("teacher", "seeds"), [(Reflecting(), 1), (Reflecting(), 2), (Pondering(), 2)])
def test_a_teacher_reflects_once_between_two_stretches(teacher: Any, seeds: int, tmp_path: Path) -> None:
    made = life(Counting(), teacher=teacher, seeds=seeds, rhythm=UNTAUGHT)
    living = live(made, steps=12 * 2 * seeds, lives=tmp_path)
    ends = [4, 8, 12]
    _, mind = living.saver.load().value
    assert np.ravel(mind.teacher.times).tolist() == [3] * seeds
    for seed in range(seeds):
        key = keys.fold(jax.random.fold_in(jax.random.key(seed), ends[-1]), "reflect")
        assert int(np.ravel(mind.teacher.thought)[seed]) == int(jax.random.bits(key))
    with Chronicle.read(living.folder.chronicle) as chronicle:
        for seed in range(seeds):
            series = chronicle.series("steps_heard", seed=seed)
            assert (series["clock"].tolist(), series["value"].tolist()) == (ends, ends)
