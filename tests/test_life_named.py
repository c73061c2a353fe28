"""Numbers that a simulator reports beside its steps: from its `info` to episodes, probes, curves, and no agent."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import gymnasium
import jax
import numpy as np
import pytest

from umwelt import check
from umwelt.behaviours import DQN, ModelFree, RandomAgent
from umwelt.cli.summary import summary_of
from umwelt.core import BROKEN, FIRST, TRUNCATED
from umwelt.export import new_points
from umwelt.life.api import fingerprints, live, resume
from umwelt.life.body import Body
from umwelt.life.chronicle import reader
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.chronicle.schema import EPISODE, PROBE
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Ring
from umwelt.report.curves import draw_curves
from umwelt.report.reading import read_life_data
from umwelt.teachers import Blocks
from umwelt.worlds import Announced, stack_frames
from umwelt.worlds.adapters import dm_control
from umwelt.worlds.adapters import gymnasium as gymnasium_world
from umwelt.worlds.adapters.hosted import TAKEN, Hosted

ENOUGH = 5
"""The return above which an episode is a success."""


class Scored(gymnasium.Env):
    """Pays the action, 0 or 1, for ten steps. `success` is reported at the end alone, and `taken` at each step but the last."""

    observation_space = gymnasium.spaces.Box(-1, 1, (2,))
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, odd: str = "") -> None:
        self.odd = odd

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self.taken, self.paid = 0, 0.0
        return np.zeros(2, np.float32), {}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.taken, self.paid = self.taken + 1, self.paid + float(action)
        over = self.taken == 10
        info: dict[str, Any] = {"success": np.bool_(self.paid > ENOUGH)} if over else {"taken": np.array([self.taken])}
        if self.odd and self.taken == 3:
            info = {"success": {"text": "yes", "none": None, "two": [1, 2]}[self.odd]}
        return np.full(2, self.taken / 10, np.float32), float(action), False, over, info


def world(record: tuple[str, ...] = ("success", "taken", "never"), odd: str = "", **fields: Any) -> Hosted:
    return gymnasium_world(f"{__name__}:Scored", options=json.dumps({"odd": odd}), record=record, **fields)


def walked(world: Any, steps: int) -> list[Any]:
    """The steps of a walk that always takes the action 1."""
    task = jax.tree.map(lambda leaf: np.asarray(leaf)[None], next(iter(world.tasks().values())))
    state, step = world.init(jax.random.key(0), task)
    found = [step]
    for index in range(steps):
        state, step = world.step(np.array([0, index], np.uint32), state, np.ones(1, np.int32), task)
        found.append(step)
    found.append(world.drain(state))
    world.close(state)
    return found


def of(found: list[Any], name: str) -> list[float]:
    return [float(step.named[name][0]) for step in found[:-1]]


@pytest.mark.parametrize("apart", [False, True])
def test_a_step_carries_the_last_value_that_its_episode_reported(apart: bool) -> None:
    found, none = walked(world(subprocesses=apart), 12), float("nan")
    np.testing.assert_array_equal(of(found, "success"), [*[none] * 10, 1.0, none, none])
    np.testing.assert_array_equal(of(found, "taken"), [none, *range(1, 10), 9, none, 1])
    np.testing.assert_array_equal(of(found, "never"), [none] * 13)
    assert [int(step.kind[0]) for step in found[9:13]] == [1, TRUNCATED, FIRST, 1]


def test_the_last_of_repeated_frames_counts_and_wrappers_pass_numbers_on() -> None:
    np.testing.assert_array_equal(of(walked(world(repeat=3), 4), "taken")[1:], [3, 6, 9, 9])
    wrapped = Announced(world=stack_frames(world(), 2))
    np.testing.assert_array_equal(of(walked(wrapped, 2), "taken")[1:], [1, 2])


@pytest.mark.parametrize(("odd", "said"), [("text", "type str"), ("two", "type list"), ("none", "")])
def test_what_is_no_number_breaks_the_episode_with_a_sentence_and_none_is_nothing(odd: str, said: str) -> None:
    found = walked(world(odd=odd), 3)
    assert np.isnan(of(found, "success")[3])
    assert (found[3].kind[0] == BROKEN) == bool(said)
    assert [said in event.message and "leave it out of `record`" in event.message for event in found[-1]] == [True] * bool(said)


@pytest.mark.parametrize("recording", [world(), stack_frames(world(), 2)], ids=["plain", "wrapped"])
def test_a_world_that_records_keeps_its_contract(recording: Any) -> None:
    check.world(recording, steps=25).raise_if_broken()


@pytest.mark.parametrize(
    ("record", "said"), [(("return",), "have return of their own"), (("a", "a"), "differ"), (("",), "differ")]
)
def test_names_that_cannot_be_kept_are_refused(record: tuple[str, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        world(record).spec  # noqa: B018 - it is worked out here


def test_all_columns_beside_the_numbers_are_taken_and_a_suite_without_info_is_refused() -> None:
    assert set(TAKEN) == set(EPISODE) | set(PROBE)
    with pytest.raises(ValueError, match="a DmControl reports no numbers"):
        dm_control(record=("success",)).spec  # noqa: B018 - likewise


def test_no_agent_teacher_or_memory_sees_the_numbers() -> None:
    agent = ModelFree(learner=DQN(units=8), memory=Ring(bytes=10_000), batch=4)
    body, found = Body(world=world(), agent=agent, teacher=Blocks()), walked(world(), 2)

    def lived() -> Any:
        key = jax.random.key(0)
        mind = body.open("random", key, *body.create(key), found[0])
        return body.turn("explore", mind, found[1])

    mind, record = jax.eval_shape(lived)
    assert mind.step.named is None
    assert mind.agent.memory.rows.next.named is None
    assert {name: leaf.shape for name, leaf in record.named.items()} == {"success": (1,), "taken": (1,), "never": (1,)}


def life(**fields: Any) -> Life:
    rhythm = Rhythm(random=0, updates=0, chunk=10, probe_every=60, probe_episodes=4)
    return Life(world=world(), agent=RandomAgent(), teacher=Blocks(), rhythm=dataclasses.replace(rhythm, **fields))


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lives")
    live(life(), steps=120, name="whole", lives=folder)
    live(life(), steps=60, name="cut", lives=folder)
    resume("cut", steps=120, lives=folder)
    return folder


def test_episodes_and_probes_have_a_column_for_each_number(lives: Path) -> None:
    with Chronicle.read(lives / "whole" / "chronicle.db") as chronicle:
        episodes, probes = chronicle.episodes(), chronicle.probes()
        exported = {table.name for table in reader.tables(chronicle)}
    assert len(episodes["return"]) == 11
    np.testing.assert_array_equal(episodes["success"], episodes["return"] > ENOUGH)
    np.testing.assert_array_equal(episodes["taken"], 9.0)
    assert np.isnan(episodes["never"]).all()
    assert 0 < np.sum(episodes["success"]) < 11
    for success, returns in zip(probes["success"], probes["returns"], strict=True):
        np.testing.assert_array_equal(success, returns > ENOUGH)
    assert {"episode_numbers", "probe_numbers"} <= exported


def test_a_life_that_was_cut_and_resumed_wrote_the_same_numbers(lives: Path) -> None:
    found = [fingerprints(name, lives=lives)["chronicle"] for name in ("whole", "cut")]
    assert found[0] == found[1]
    with Chronicle(lives / "cut" / "chronicle.db") as chronicle:
        before = chronicle.digest()
        chronicle.database.rows("DELETE FROM episode_numbers WHERE name = 'taken'")
        assert chronicle.digest() != before
        chronicle.rewind(60)
        assert max(chronicle.episodes()["end"]) <= 60
        assert reader.episode_number_points(chronicle, 0, 60, 1000) == []
        assert reader.probe_number_points(chronicle, 0, 60, 1000) == []


def test_summaries_reports_and_logs_show_the_numbers(lives: Path) -> None:
    with Chronicle.read(lives / "whole" / "chronicle.db") as chronicle:
        episodes, probes = chronicle.episodes(), chronicle.probes()
        declared = new_points.declared(chronicle)
        (points, _), *_ = new_points.new_points(chronicle, range(1), new_points.Offset())
    (task,) = summary_of(lives / "whole")["tasks"]
    assert task["end"]["named"] == {"never": None, "success": pytest.approx(np.mean(probes["success"][-1])), "taken": 9.0}
    drawn = draw_curves({"whole": [read_life_data("whole", lives=lives)]})
    assert drawn is not None
    cells = dict(zip(drawn.table.heads, drawn.table.rows[0], strict=True))
    assert float(cells["mean success"]) == pytest.approx(np.mean(episodes["success"]), abs=0.01)
    assert cells["mean never"] == "-"
    logged = [(clock, value) for clock, name, value in points[0] if name == "episode/success"]
    assert logged == list(zip(episodes["end"].tolist(), episodes["success"].tolist(), strict=True))
    assert {name for _, name, _ in points[0]} <= set(declared)
    assert any(name.endswith("/success") and name.startswith("probe/") for _, name, _ in points[0])
