"""The student in a cube, against a plain loop over its rules."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import umwelt.check
from umwelt.worlds.cubes import ENOUGH, MOST, Cubes


def looped(places: np.ndarray, side: int, walls: Any = (), start: Any = (0, 0), around: bool = False, forget: float = 0.0) -> Any:
    """Competence [side, side] and the results of practising places [N, 2], one after the other."""
    known, results = np.zeros((side, side)), []
    for place in places:
        cell = tuple(int(min(side - 1, number * side)) for number in place)
        if around:
            near = [(cell[0] + down, cell[1] + right) for down, right in ((1, 0), (-1, 0), (0, 1), (0, -1))]
        else:
            near = [(cell[0] - 1, cell[1]), (cell[0], cell[1] - 1), (cell[0] - 1, cell[1] - 1)]
        opened = cell == start
        for other in near:
            if min(other) >= 0 and max(other) < side and known[other] >= ENOUGH:
                opened = True
        known *= 2.0**-forget
        if cell not in walls and opened:
            known[cell] = min(MOST, known[cell] + 1)
        results.append(0.0 if cell in walls else known[cell] / MOST)
    return known, np.array(results)


WAYS: dict[str, tuple[Cubes, dict[str, Any]]] = {
    "forward": (Cubes(side=3), {}),
    "around a wall": (
        Cubes(side=3, spread="around", start=(1, 1), walls=((1, 2),)),
        {"around": True, "start": (1, 1), "walls": ((1, 2),)},
    ),
    "forgetting": (Cubes(side=3, forget=1 / 500), {"forget": 1 / 500}),
}


@pytest.mark.parametrize("name", WAYS)
def test_a_student_learns_as_a_plain_loop_says(name: str) -> None:
    world, rules = WAYS[name]
    places = np.random.default_rng(0).uniform(size=(2500, 2)).astype(np.float32)
    state, _ = world.init(jax.random.key(0), jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], world.tasks()["first"]))
    practise = jax.jit(
        lambda: jax.lax.scan(lambda c, p: world.practise(c, state.start[0], p), state.competence[0], jnp.asarray(places))
    )
    competence, results = practise()
    known, expected = looped(places, 3, **rules)
    np.testing.assert_allclose(competence.reshape(3, 3), known, atol=0.05)
    np.testing.assert_allclose(results, expected, atol=1e-3)
    assert known.max() > ENOUGH, "something was learned"


def test_useless_and_unlearnable_tasks_teach_nothing() -> None:
    world = Cubes(side=2, useless=1, unlearnable=0.5)
    empty, start = jnp.zeros(4), jnp.int32(0)
    for last in (0.0, 0.9):
        after, result = world.practise(empty, start, jnp.array([0.2, 0.2, last]))
        assert (after[0], result) == (1.0, pytest.approx(0.01))
    after, result = world.practise(empty, start, jnp.array([0.6, 0.2, 0.5]))
    assert not after.any()
    assert result == 0.0


def test_it_keeps_the_contract_and_each_row_is_a_student() -> None:
    world = Cubes(batch=3, side=3, dimensions=2, useless=1, drawn=True, spread="around")
    umwelt.check.world(world, steps=40).raise_if_broken()
    task = jax.tree.map(lambda leaf: jnp.broadcast_to(jnp.asarray(leaf), (3, *leaf.shape)), world.tasks()["first"])
    starts = {tuple(np.asarray(world.init(jax.random.key(seed), task)[0].start).tolist()) for seed in range(4)}
    assert len(starts) > 1, "drawn"


def test_mastered_counts_cells_that_are_free() -> None:
    world = Cubes(side=2, walls=((1, 1),))
    state, _ = world.init(jax.random.key(0), jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], world.tasks()["first"]))
    assert float(world.mastered(state)[0]) == 0.0
    known = state.competence.at[0, 0].set(ENOUGH + 1).at[0, 1].set(ENOUGH)
    assert float(world.mastered(replace(state, competence=known))[0]) == pytest.approx(100 / 3)


@pytest.mark.parametrize(("field", "value"), [("side", 0), ("unlearnable", 1.0), ("forget", -1.0), ("start", (1,))])
def test_bad_values_are_named(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=field):
        _ = Cubes(**{field: value}).spec
