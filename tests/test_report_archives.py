"""Archives and skills in a report: hand-made entries, and a plane on which each skill is a direction."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from report_lives import Page, write_life

from umwelt.behaviours import SAC, ModelFree, RandomAgent
from umwelt.behaviours.calling import Calling
from umwelt.behaviours.latent_skills import LatentSkills
from umwelt.behaviours.library import Library
from umwelt.behaviours.skilful import Skilful
from umwelt.behaviours.snapshots import Snapshots
from umwelt.core import Box, Discrete, TimeStep, WorldSpec, part
from umwelt.curiosity import Novelty, Serene
from umwelt.curiosity.counts import Counts
from umwelt.curiosity.directions import Directions
from umwelt.curiosity.novelty import added, none_kept
from umwelt.life.api import fingerprints, live
from umwelt.life.composition import Life
from umwelt.life.exams.archives import Archive, archives_of
from umwelt.life.exams.skills import MOST, Traces, examples, trace, traces_of
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Ring
from umwelt.report.archive_figures import archive_table, axes_of, draw_archive, map_of, octaves
from umwelt.report.reading import read_life_data
from umwelt.report.saved import parts_in
from umwelt.report.sections import Sections, grouped
from umwelt.report.skill_figure import draw_traces, ends_of, labels
from umwelt.report.writing import write_report
from umwelt.teachers import Blocks, Returning
from umwelt.worlds import PointMaze, Restarted, stream
from umwelt.worlds.restarted import Shelf, Tiles

KEY = jax.random.key(0)
STRIDE = 0.125
"""How far a decision leads on the plane; sums of it are exact."""


@part
class Plane:
    """A point on a plane, which moves by its action."""

    batch: int = 1
    time_limit: int = 100

    @property
    def spec(self) -> WorldSpec:
        return WorldSpec(
            name="plane",
            observation=Box(shape=(2,)),
            action=Box(shape=(2,), low=-1.0, high=1.0),
            task=Box(shape=(2,), low=-1.0, high=1.0),
            batch=self.batch,
        )

    def tasks(self) -> dict[str, Any]:
        return {"corner": np.array([1.0, 2.0], np.float32)}

    def begin(self, key: jax.Array, task: Any) -> jax.Array:
        return task + jnp.round(jax.random.uniform(key, (2,)), 1)

    def advance(self, key: jax.Array, body: jax.Array, action: jax.Array, task: Any) -> tuple[jax.Array, jax.Array, jax.Array]:
        return body + STRIDE * action, jnp.float32(0.0), jnp.bool_(False)

    def observe(self, body: jax.Array, task: Any) -> jax.Array:
        return body

    def init(self, key: jax.Array, task: Any) -> Any:
        return stream.init(self, key, task)

    def step(self, key: jax.Array, state: Any, action: Any, next_task: Any) -> Any:
        return stream.step(self, key, state, action, next_task)


@part
class Pointing:
    """Random in life; each of its skills is an action."""

    agent: RandomAgent = RandomAgent()
    space: Any = Box(shape=(2,), low=-1.0, high=1.0)
    metrics = RandomAgent.metrics

    def init(self, key: jax.Array, spec: WorldSpec) -> Any:
        return self.agent.init(key, spec)

    def see(self, key: jax.Array, state: Any, step: TimeStep) -> Any:
        return self.agent.see(key, state, step)

    def act(self, key: jax.Array, state: Any, mode: Any = "explore") -> Any:
        return self.agent.act(key, state, mode)

    def remember(self, key: jax.Array, state: Any, experience: Any) -> Any:
        return self.agent.remember(key, state, experience)

    def learn(self, key: jax.Array, state: Any) -> Any:
        return self.agent.learn(key, state)

    def embody(self, key: jax.Array, state: Any, spec: WorldSpec) -> Any:
        return self.agent.embody(key, state, spec)

    def imagine(self, key: jax.Array, state: Any, actions: Any) -> None:
        return None

    def skill_space(self, state: Any) -> Any:
        return self.space

    def called(self, key: jax.Array, state: Any, skill: Any, seen: Any, mode: Any) -> jax.Array:
        assert mode == "exploit"
        return skill


def made(points: list[list[float]], visits: Any, worth: Any, axes: tuple[str, ...] = ("x", "y")) -> Archive:
    arrays = {name: np.array(values, np.float64) for name, values in (("points", points), ("visits", visits), ("worth", worth))}
    return Archive(name="places", seed=0, axes=axes, **arrays)


def test_a_map_adds_up_the_visits_of_the_entries_of_a_cell() -> None:
    archive = made([[0.0, 0.0], [0.01, 0.0], [16.0, 8.0], [4.5, 8.0]], [3, 4, 1, 2], [0, 1, 5, 0])
    shown, what, edges = map_of(archive, (0, 1))
    assert what == "visits"
    assert edges[0][[0, -1]].tolist() == [0.0, 16.0]
    assert edges[1][[0, -1]].tolist() == [0.0, 8.0]
    assert {(int(x), int(y)): shown[x, y] for x, y in zip(*np.nonzero(np.isfinite(shown)), strict=True)} == {
        (0, 0): 7.0,
        (15, 15): 1.0,
        (4, 15): 2.0,
    }
    row = dict(zip(archive_table((archive,)).heads, archive_table((archive,)).rows[0], strict=True))
    # the best of three cells, 1, 5 and 0, above the lowest, which is 0
    expected = {"entries": "4", "median visits": "2.5", "most visits": "4", "met once": "25%", "best score": "5", "QD score": "6"}
    assert expected.items() <= row.items()
    assert [drawing.name for drawing in draw_archive((archive,))] == ["archive-map", "archive-visits"]


def test_a_map_without_visits_shows_the_highest_score_and_else_the_number() -> None:
    points, uncounted = [[0.0, 0.0], [0.0, 0.0], [1.0, 1.0]], [np.nan] * 3
    shown, what, _ = map_of(made(points, uncounted, [2.0, 7.0, -1.0]), (0, 1))
    assert what == "highest score"
    assert (shown[0, 0], shown[15, 15]) == (7.0, -1.0)
    shown, what, _ = map_of(made(points, uncounted, [0.0, 0.0, 0.0]), (0, 1))
    assert what == "entries"
    assert (shown[0, 0], shown[15, 15]) == (2.0, 1.0)


def test_the_two_numbers_that_vary_most_are_drawn_and_visits_fall_into_octaves() -> None:
    points = [[0.0, 5.0, 0.0], [1.0, 5.0, 0.5], [0.0, 5.0, 1.0], [1.0, 5.0, 0.5]]
    assert axes_of(made(points, [1] * 4, [0] * 4, ("trait 0", "trait 1", "trait 2"))) == (0, 2)
    line = made([[0.0, 1.0], [0.0, 2.0]], [1, 1], [0, 0])
    assert axes_of(line) is None
    assert [drawing.name for drawing in draw_archive((line,))] == ["archive-visits"]
    assert octaves(np.array([1, 1, 2, 3, 4, 7, 8])) == [("1", 2), ("2\u20133", 2), ("4\u20137", 2), ("8\u201315", 1)]
    assert draw_archive((replace(line, visits=np.array([np.nan, np.nan])),)) == []


def test_every_archive_of_a_life_is_found_in_its_value() -> None:
    world = Restarted(world=PointMaze(), cells=Tiles(entries=(0, 1), low=(0, 0), high=(9, 9), bins=(9, 9)), slots=3)
    life = Life(world=world, agent=RandomAgent(), teacher=Returning())
    width = world.spec.observation.shape[0]
    seen = jnp.zeros((3, width)).at[:, :2].set(jnp.array([[1.5, 2.5], [9.0, 9.0], [3.5, 4.5]]))
    whole = jnp.array([4, 9, 2])
    shelf = Shelf(state=(), observation=seen, score=jnp.array([0.0, 9.0, 1.0]), steps=whole, parent=whole, visits=whole,
                  held=jnp.array([True, False, True]), over=jnp.zeros(3, bool))  # fmt: skip
    children = replace(none_kept(2, 1, 2), traits=jnp.array([[1.0, 2.0], [3.0, 4.0]]), returns=jnp.array([5.0, 6.0]))
    kept = added(KEY, none_kept(4, 1, 2), replace(children, weight=jnp.array([1.0, 0.0])))
    search = replace(Novelty(population=2, slots=4).init(KEY, 1, 2), archive=kept)
    serene = replace(Serene(search=Novelty(population=2, slots=4), slots=2, emitters=1, rewards=4).init(KEY, 1, 2), rewarded=kept)
    counts = replace(Counts(of="cells", slots=4).init(KEY, 2, 1, 1), cells=jnp.array([0.0, 3.0, 0.0, 1.0]))
    found = archives_of(life, ({"shelf": shelf}, [search, serene, counts]), 7)
    assert [each.name for each in found] == [
        "places to return to",
        "archive of novelty",
        "archive of rewards",
        "cells that were counted",
    ]
    places, novel, rewarded, cells = found
    np.testing.assert_allclose(places.points, np.asarray(PointMaze().position(seen))[[0, 2]])
    assert (places.visits.tolist(), places.worth.tolist(), places.seed) == ([4, 2], [0, 1], 7)
    assert (novel.points.tolist(), novel.worth.tolist()) == ([[1, 2]], [5])
    assert rewarded.points.tolist() == [[1, 2]]
    assert (cells.visits.tolist(), cells.points.shape) == ([3, 1], (2, 0))
    # bits are not counted in cells, and an empty archive shows nothing
    assert archives_of(life, (None, [Counts().init(KEY, 2, 1, 1), Novelty().init(KEY, 1, 2)]), 0) == ()


def test_a_trace_ends_where_its_skill_leads_and_with_its_episode() -> None:
    task = jnp.array([[1.0, 2.0]])

    def acts(key: jax.Array, skill: Any, seen: Any) -> Any:
        return skill

    for ticks, limit, known in ((6, 100, 7), (6, 4, 5)):
        skills = jnp.array([[1.0, 0.0], [0.0, -1.0]])
        paths = np.stack([np.asarray(trace(KEY, Plane(time_limit=limit), acts, task, skill, ticks)) for skill in skills])
        assert paths.shape == (2, 7, 2)
        np.testing.assert_array_equal(np.isfinite(paths).all(-1).sum(-1), known)
        np.testing.assert_array_equal(paths[0, 0], paths[1, 0])  # one start for all
        whole = Traces(task="corner", names=("a", "b"), places=paths.astype(np.float64))
        np.testing.assert_allclose(ends_of(whole), paths[:, 0] + (known - 1) * STRIDE * np.asarray(skills), rtol=1e-6)
        drawing = draw_traces(whole)
        assert [row[-1] for row in drawing.table.rows] == [str(known - 1)] * 2
        assert [row[-2] for row in drawing.table.rows] == [f"{(known - 1) * STRIDE:.4g}"] * 2
        assert drawing.small


def test_skills_are_chosen_by_what_names_them() -> None:
    names, skills = examples(Discrete(n=3))
    assert (names, skills.tolist()) == (("skill 0", "skill 1", "skill 2"), [0, 1, 2])
    names, skills = examples(Discrete(n=100))
    assert (len(names), skills.tolist()[0], skills.tolist()[-1]) == (MOST, 0, 99)
    names, skills = examples(Box(shape=(2,), low=-2.0, high=2.0))
    np.testing.assert_allclose(np.linalg.norm(skills, axis=1), 2.0, rtol=1e-6)
    assert (len(names), names[3]) == (MOST, "90°")
    np.testing.assert_allclose(skills[3], [0.0, 2.0], atol=1e-6)
    names, skills = examples(Box(shape=(3,), low=0.0, high=1.0))  # a mixture: one skill at a time
    np.testing.assert_array_equal(skills, np.eye(3))
    names, skills = examples(Box(shape=(3,), low=-1.0, high=1.0))
    np.testing.assert_array_equal(skills[:2], [[1, 0, 0], [-1, 0, 0]])
    assert names[1] == "number 0 at -1"
    assert examples(None) == ((), None)
    assert labels(np.array([[0.0, 0.0], [1.0, 1.0], [0.01, 0.0]])) == {(0.0, 0.0): "1, 3", (1.0, 1.0): "2"}


def test_a_life_without_archive_or_skills_has_no_such_section(tmp_path) -> None:
    life = read_life_data(write_life(tmp_path, "plain"))
    assert life.saved is None
    titles = [section.title for section in Sections(grouped([life]), "umwelt report").build()]
    assert not {"What its archive holds", "Where its skills lead"} & {*titles}
    assert parts_in({"part": "a:B", "fields": {"c": {"tuple": [{"part": "d:E", "fields": {}}]}, "f": 1}}) == {"a:B", "d:E"}
    assert traces_of(Life(world=Plane(), agent=RandomAgent(), teacher=Blocks()), None) is None
    hidden = Life(world=PointMaze(), agent=Pointing(space=None), teacher=Blocks())
    assert traces_of(hidden, RandomAgent().init(KEY, PointMaze().spec)) is None


def test_the_agents_of_the_library_act_by_given_skills() -> None:
    learner, spec, seen = SAC(units=4), Plane().spec, jnp.array([[0.5, -0.5]])
    drifting = Snapshots(agent=ModelFree(learner=learner, memory=Ring(bytes=4000)), library=Library(slots=2))
    state = drifting.init(KEY, spec)
    assert drifting.skill_space(state) is None
    state = drifting.snapshot(state)
    assert drifting.skill_space(state) == Discrete(n=1)
    expected = learner.act(KEY, state.inner.learner, seen, "exploit")
    np.testing.assert_array_equal(drifting.called(KEY, state, jnp.array([0]), seen, "exploit"), expected)
    latent = LatentSkills(size=2, units=4)
    caller = Calling(agent=ModelFree(learner=learner, memory=Ring(bytes=4000)), skills=latent)
    calling, skill = caller.init(KEY, spec), jnp.array([[1.0, -1.0]])
    assert caller.skill_space(calling) == latent.space
    expected = latent.act(KEY, calling.skills, skill, seen, "exploit")
    np.testing.assert_array_equal(caller.called(KEY, calling, skill, seen, "exploit"), expected)
    directed = Skilful(learner=learner, by=Directions(units=4), memory=Ring(bytes=4000))
    assert directed.skill_space(directed.init(KEY, spec)) == latent.space


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    world = Restarted(world=Plane(batch=2), cells=Tiles(entries=(0, 1), low=(-9, -9), high=(9, 9), bins=(36, 36)), slots=1296)
    rhythm = Rhythm(random=0, updates=0, chunk=50, probe_episodes=0)
    life = Life(world=world, agent=Pointing(), teacher=Returning(), rhythm=rhythm, seed=3)
    lives = tmp_path_factory.mktemp("lives")
    live(life, steps=200, name="kept", lives=lives)
    return lives / "kept"


def test_a_report_shows_archive_and_skills_and_touches_nothing(folder, tmp_path) -> None:
    before = fingerprints(folder)
    life = read_life_data(folder)
    assert life.faults == ()
    assert life.saved is not None
    (places,) = life.saved.archives
    # each decision of both rows is one visit, and so is each beginning
    assert places.visits.sum() == 2 * (life.saved.clock + 1)
    assert life.saved.traces is not None
    ends = ends_of(life.saved.traces)
    _, skills = examples(Box(shape=(2,), low=-1.0, high=1.0))
    np.testing.assert_allclose(ends - life.saved.traces.places[:, 0], 40 * STRIDE * np.asarray(skills), atol=1e-4)
    written = write_report([life], tmp_path / "out", "umwelt report kept")
    page = Page(written.page)
    assert page.table("What is kept")[1][2] == f"{len(places.points):,}"
    assert [row[1] for row in page.table("Ends of 12 skills")[1:4]] == ["0°", "30°", "60°"]
    assert {path.name for path in (tmp_path / "out" / "figures").glob("*.png")} >= {"archive-map.png", "skills.png"}
    assert fingerprints(folder) == before
