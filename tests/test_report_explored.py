"""Coverage and a teacher's choices, by hand-made trails and episodes."""

from dataclasses import replace

import numpy as np
from report_lives import write_life

from umwelt.report.exams_figure import draw_exams
from umwelt.report.explored import covered, draw_choices, draw_coverage, numbers_of
from umwelt.report.reading import read_life_data
from umwelt.report.sections import ENOUGH, cautions, grouped

EDGES = (np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 2.0]))


def test_a_cell_counts_when_it_is_met_first() -> None:
    x, y = np.array([0.5, 0.6, 1.5, 0.5, 2.0]), np.array([0.5, 0.1, 0.5, 1.5, 2.0])
    np.testing.assert_array_equal(covered(x, y, EDGES), [1, 1, 2, 3, 4])


def test_coverage_has_a_line_for_each_seed_and_one_scale() -> None:
    ramp = np.arange(20.0)
    still, along = np.zeros(20), ramp
    trail = {"seed": np.repeat([0, 1], 20), "clock": np.tile(np.arange(1, 21), 2)}
    trail |= {"x": np.concatenate([still, along]), "y": np.concatenate([still, along])}
    drawing = draw_coverage(trail)
    assert drawing is not None
    assert drawing.table.rows == (("seed 0", "1", "1"), ("seed 1", "16", "10"))
    assert draw_coverage({**trail, "x": np.full(40, np.nan)}) is None


def test_tasks_are_read_where_they_are_numbers_of_the_usual_count() -> None:
    values, places = numbers_of(np.array(["far", "1,2", "0.5,nan", "3,4", "7", "1e2,-3"], object))
    np.testing.assert_array_equal(values, [[1, 2], [3, 4], [100, -3]])
    np.testing.assert_array_equal(places, [1, 3, 5])
    assert numbers_of(np.array(["far"], object))[0].shape == (0, 0)


def test_choices_are_drawn_over_the_two_numbers_that_vary_in_four_stretches() -> None:
    rng = np.random.default_rng(0)
    tasks = [f"5,{rng.uniform():.4g},{10 * (index // 50) + rng.uniform():.4g}" for index in range(200)]
    episodes = {"task": np.array(["home", *tasks], object), "end": np.arange(201), "return": np.r_[9.0, np.ones(200)]}
    drawing = draw_choices(episodes)
    assert drawing is not None
    assert drawing.table.heads[2:4] in (("number 1", "number 2"), ("number 2", "number 1"))
    assert [row[1] for row in drawing.table.rows] == ["50", "50", "50", "50"] or drawing.table.rows[0][1] == "49"
    means = [row[drawing.table.heads.index("number 2")].split()[0] for row in drawing.table.rows]
    assert [round(float(mean)) // 10 for mean in means] == [0, 1, 2, 3]
    named = draw_choices(episodes, names=["depth", "width", "height"])
    assert named is not None
    assert {*named.table.heads[2:4]} == {"width", "height"}
    unfit = draw_choices(episodes, names=["depth"])  # as of another version of the world
    assert unfit is not None
    assert unfit.table.heads == drawing.table.heads
    assert draw_choices({**episodes, "task": np.array(["home"] * 201, object)}) is None
    one = {"task": np.array([f"{index}" for index in range(20)], object), "end": np.arange(20), "return": np.zeros(20)}
    assert draw_choices(one) is not None


def test_exams_have_a_line_for_each_task_and_the_mean_of_the_seeds() -> None:
    clock, seed = np.repeat([0, 100], 4), np.tile([0, 0, 1, 1], 2)
    task = np.array(["near", "far"] * 4, object)
    mean = np.array([-9.0, -5.0, -7.0, -5.0, -2.0, -4.0, -1.0, -4.5])
    probes = {"clock": clock, "seed": seed, "task": task, "mean": mean, "model_error": np.full(8, np.nan)}
    drawing = draw_exams(probes)
    assert drawing is not None
    assert drawing.table.heads == ("task", "return in exams, first", "return in exams, last")
    assert drawing.table.rows == (("near", "-8", "-1.5"), ("far", "-5", "-4.25"))
    both = draw_exams({**probes, "model_error": np.arange(8) / 8})
    assert both is not None
    assert both.table.rows[0][3:] == ("0.125", "0.625")
    assert draw_exams({name: column[:4] for name, column in probes.items()}) is None  # one exam is no course


def test_a_comparison_of_unequal_or_few_lives_says_so(tmp_path) -> None:
    lives = [read_life_data(write_life(tmp_path, f"a{seeds}", agent, seeds=seeds)) for seeds, agent in ((4, "Pets"), (1, "Sac"))]
    groups = grouped(lives)
    (said,) = cautions(groups)
    assert said.startswith(f"Fewer than {ENOUGH} seeds")
    assert said.endswith("1.")
    assert cautions(groups[:1]) == []
    longer = [type(groups[0])(label="long", lives=(_longer(lives[0]),), score={}, diary=None), groups[0]]
    assert cautions(longer)[0].startswith("These lives have unequal lengths")


def _longer(life):
    return replace(life, clock=life.clock * 10)
