"""The numbers behind the figures of a report, against NumPy and cases worked out by hand."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from test_evaluation import Counter, Oracle

from umwelt.core import Prediction, TimeStep, WorldSpec, part, spaces, struct
from umwelt.evaluation.proctor import Proctor
from umwelt.life.exams.film import AHEAD, TRAJECTORIES, film_foresight, read_film
from umwelt.life.folder import expression as expressions
from umwelt.life.rhythm import Rhythm
from umwelt.networks.inside import with_batch
from umwelt.report.curves import POINTS, Line, stretches, together
from umwelt.report.figure import estimate, interval, label_of, number
from umwelt.report.heat import ranges, shades
from umwelt.report.imagination import draw_film, draw_frames, film_gaps, moving
from umwelt.report.page import Markup, tag
from umwelt.report.positions import CELLS, cells, draw_positions
from umwelt.report.recipe_section import differences, expression, recipe_name, sameness
from umwelt.report.spent import seconds
from umwelt.teachers import Blocks
from umwelt.worlds import Announced, Pendulum


@given(clock=arrays(np.int64, st.integers(1, 400), elements=st.integers(0, 10**6)))
def test_stretches_keep_the_count_the_mean_and_every_peak(clock: np.ndarray) -> None:
    value = np.sin(clock * 1.7) + clock % 3
    line = stretches(clock, value)
    assert len(line.clock) <= POINTS
    assert line.low.min() == value.min()
    assert line.high.max() == value.max()
    edges = np.searchsorted(np.sort(clock), line.clock, side="right")
    count = np.diff(edges, prepend=0)
    assert count.sum() == len(clock)
    assert (line.mean * count).sum() == pytest.approx(value.sum())


def test_lines_are_joined_as_far_as_all_of_them_go() -> None:
    short = Line(clock=np.array([0, 10, 20]), low=np.zeros(3), mean=np.array([0.0, 1.0, 2.0]), high=np.zeros(3))
    other = Line(clock=np.array([0, 20, 40]), low=np.zeros(3), mean=np.array([4.0, 8.0, 99.0]), high=np.zeros(3))
    both = together([short, other])
    assert both.clock.tolist() == [0, 10, 20]
    assert both.mean.tolist() == [2.0, 3.5, 5.0]
    assert (both.low.tolist(), both.high.tolist()) == ([0.0, 1.0, 2.0], [4.0, 6.0, 8.0])


def test_maps_side_by_side_share_the_range_of_a_task() -> None:
    one = {"tasks": ["a", "b"], "return_matrix": [[0.0, 5.0], [8.0, 5.0]]}
    other = {"tasks": ["b", "a"], "return_matrix": [[5.0, 10.0], [5.0, np.nan]]}
    found = ranges({"one": one, "other": other})
    assert found == {"a": (0.0, 10.0), "b": (5.0, 5.0)}
    low, high = np.array([0.0, 5.0]), np.array([10.0, 5.0])
    shaded = shades(np.array([[0.0, 5.0], [8.0, np.nan]]), low, high)
    np.testing.assert_array_equal(shaded, [[0.0, 0.5], [0.8, np.nan]])


def test_positions_are_counted_into_cells() -> None:
    x, y = np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.0, 0.0, 0.0, 1.0])
    visits, doubted, _ = cells(x, y, np.array([1.0, 3.0, np.nan, 7.0]))
    last = CELLS[0] - 1
    assert visits.shape == (CELLS[0], CELLS[0]), "few positions, few cells"
    assert cells(*np.random.default_rng(0).normal(size=(3, 5000)))[0].shape == (CELLS[1], CELLS[1])
    assert (visits[0, 0], visits[last, 0], visits[last, last], visits.sum()) == (2, 1, 1, 4)
    assert (doubted[0, 0], doubted[last, last]) == (2.0, 7.0)
    assert np.isnan(doubted[last, 0])


def test_a_trail_in_three_dimensions_has_two_planes_and_may_lack_doubt() -> None:
    trail = {"task": np.array(["a"] * 5, object), "doubt": np.full(5, np.nan)} | {axis: np.arange(5.0) for axis in "xyz"}
    drawing = draw_positions(trail)
    assert drawing is not None
    assert drawing.table.rows == (("a", "5", "0 to 4", "0 to 4", "0 to 4", "-"),)
    assert b">z<" in drawing.svg
    assert b"mean doubt" not in drawing.svg
    assert draw_positions({**trail, "x": np.full(5, np.nan)}) is None


def test_time_is_summed_over_the_processes_of_a_life() -> None:
    timing = {"part": np.array(["living", "probe", "living", "living", "living"], object),
              "seconds": np.array([2.0, 5.0, 4.0, 1.0, 3.0])}  # fmt: skip
    assert seconds(timing) == {"living": 7.0, "probe": 5.0}


def test_an_expression_is_python_that_makes_the_same_part() -> None:
    for made in (Rhythm(random=7, save_seconds=1.5), Blocks(names=("a",), steps=3), Announced(world=Pendulum(batch=2))):
        names = {"Rhythm": Rhythm, "Blocks": Blocks, "Announced": Announced, "Pendulum": Pendulum}
        assert eval(expression(expressions.write(made)), names) == made


def test_lives_are_of_one_recipe_where_only_their_seeds_differ() -> None:
    def described(seed: int, horizon: int) -> dict[str, Any]:
        agent = {"part": "x:Pets", "fields": {"horizon": horizon}}
        return {"life": {"part": "y:Life", "fields": {"agent": agent, "seed": seed}}, "end": 9, "command": "umwelt live"}

    assert sameness(described(0, 5)) == sameness(described(1, 5)) != sameness(described(0, 6))
    assert differences([described(0, 5), described(1, 6)]) == {"agent.horizon": ["5", "6"]}
    assert recipe_name(described(0, 5)) == "Pets"
    assert recipe_name({"command": "umwelt live --world pendulum --recipe pets"}) == "pets on pendulum"
    assert recipe_name({}) == "unknown"


def test_numbers_and_names_for_people() -> None:
    assert [number(value) for value in (None, float("nan"), 0.123456, -1234.5, 2)] == ["-", "-", "0.1235", "-1,234", "2"]
    assert interval(1.0, 0.5, 1.5) == "1 [0.5, 1.5]"
    assert estimate({"mean": 1.0, "low": 1.0, "high": 1.0}) == "1 (no interval)"
    assert label_of("a\nb") == "a b"
    assert len(label_of("x" * 99, 10)) == 10
    assert not label_of("_hidden").startswith("_")


@given(text=st.text(), value=st.text())
def test_no_text_becomes_an_element(text: str, value: str) -> None:
    made = tag("p", text, title=value)
    assert made.count("<") == 2
    assert made.count('"') == 2
    assert tag("p", Markup("<b>")) == "<p><b></p>"


@struct
class Still:
    """The last observation, leaves [B, ...]."""

    seen: Any


@part
class Believer:
    """An agent that pushes to the right, and imagines that nothing ever changes."""

    def see(self, key: Any, state: Still, step: TimeStep) -> Any:
        del key, state
        return Still(seen=step.observation), {}

    def act(self, key: Any, state: Still, mode: str = "explore") -> Any:
        del key, mode
        return state, jnp.ones((jax.tree.leaves(state.seen)[0].shape[0], 1))

    def embody(self, key: Any, state: Still, spec: WorldSpec) -> Still:
        del key, state
        return Still(seen=spaces.zeros(spec.observation, spec.batch))

    def imagine(self, key: Any, state: Still, actions: Any) -> Prediction:
        del key
        still = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (actions.shape[0], *leaf.shape)), state.seen)
        flat = jnp.zeros(actions.shape[:2])
        return Prediction(observation=still, reward=flat, continues=flat, doubt=flat)


def test_a_film_has_stretches_of_a_few_tasks_with_frames(tmp_path: Path) -> None:
    world = Announced(world=Pendulum(time_limit=20))
    proctor = Proctor(Believer(), lambda rows: with_batch(world, rows))  # type: ignore[arg-type]
    panel = {name: world.tasks()[name] for name in ("earth", "moon")}
    nothing = Still(seen=spaces.zeros(world.spec.observation, 1))
    assert film_foresight(proctor, world, nothing, panel, tmp_path / "film.npz")
    film = read_film(tmp_path / "film.npz")
    assert film["tasks"].tolist() == ["earth", "moon"]
    assert film["real"].shape[:3] == film["imagined"].shape[:3] == (2, TRAJECTORIES, AHEAD)
    # the episode ends at 20, and the film begins at 10: nothing is compared beyond its end
    assert np.isfinite(film["real"][:, :, :10]).all()
    assert np.isnan(film["real"][:, :, 10:]).all()
    # what is imagined never changes, and the pendulum's angle (0: cosine, 1: sine) is drawn where it then is
    assert (np.ptp(film["imagined"][:, :, :10], axis=2) == 0).all()
    assert film["frames"].shape == film["imagined_frames"].shape == (2, AHEAD, 64, 64, 1)
    assert (film["imagined_frames"] == film["imagined_frames"][:, :1]).all()
    cosine, sine = (film["real"][0, 0, 5, film["dimensions"].tolist().index(index)] for index in (0, 1))
    bright = film["frames"][0, 5] > 200
    row, column = (pixels.mean() / 64 - 0.5 for pixels in np.nonzero(bright[..., 0]))
    assert np.arctan2(column, -row) == pytest.approx(np.arctan2(sine, cosine), abs=0.15)
    drawn = draw_film(film)
    assert drawn is not None
    apart = np.abs(film["real"] - film["imagined"])[0, :, 0, moving(film["real"])]
    assert drawn.table.rows[0][1] == number(float(apart.mean()))
    assert drawn.table.rows[0][-1] == "-", "30 decisions ahead every episode has ended"
    pictures = draw_frames(film)
    assert pictures is not None
    assert pictures.table.rows[0] == ("earth", "1, 2, 4, 5, 6, 7, 9, 10"), "no picture shows anything after the end"
    assert "as observed and as imagined" in pictures.alternative


def test_a_world_that_cannot_be_drawn_has_no_frames(tmp_path: Path) -> None:
    agent = Oracle()
    proctor = Proctor(agent, lambda rows: Counter(batch=rows, length=100))  # type: ignore[arg-type]
    state = agent.init(jax.random.key(0), Counter().spec)
    assert film_foresight(proctor, with_batch(Counter(), 1), state, Counter().tasks(), tmp_path / "film.npz")
    film = read_film(tmp_path / "film.npz")
    assert "frames" not in film
    np.testing.assert_allclose(film["real"], film["imagined"], atol=1e-4)
    assert draw_frames(film) is None


def test_the_gap_of_a_film_is_the_mean_distance(tmp_path: Path) -> None:
    real = np.arange(6.0).reshape(1, 1, 3, 2)
    assert film_gaps({"real": real, "imagined": real + 1}, [0, 1]).tolist() == [[1.0, 1.0, 1.0]]
    assert read_film(tmp_path / "nothing.npz") == {}
