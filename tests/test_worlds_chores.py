"""Chores: what a predicate pays, which proposals are possible, and a scripted solver for those."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt import check
from umwelt.worlds.arm import BUTTON, TRAVEL, WIDEST, handle, tip
from umwelt.worlds.chores import (
    CLOSE,
    KINDS,
    NEAR,
    OPEN,
    PEG,
    PUCK,
    SEEN,
    Chores,
    Grammar,
    joints_at,
    possible,
    towards,
    worth,
)

WORLD = Chores(batch=64, time_limit=160)
KEY = jax.random.key(3)


def test_the_world_keeps_the_contract() -> None:
    check.world(Chores(batch=2, time_limit=5), steps=12).raise_if_broken()


def test_a_part_pays_one_exactly_where_its_predicate_holds() -> None:
    random = np.random.default_rng(0)
    seen = random.uniform(-1, 1, (4000, SEEN)).astype(np.float32)
    seen[:, 6], seen[:, 7] = random.uniform(0, TRAVEL, 4000), random.uniform(0, WIDEST, 4000)
    kind = random.integers(0, len(KINDS), 4000)
    place = random.uniform(0, 1, (4000, 2)).astype(np.float32)
    # half of the things lie about where they are asked for
    for at, thing in ((NEAR, 4), (PEG, 10), (PUCK, 8)):
        seen[(kind == at) & (random.random(4000) < 0.5), thing : thing + 2] = 0
    rows = np.flatnonzero(seen[:, 4:12].prod(axis=1) == 0)
    for row in rows:
        thing = {NEAR: 4, PEG: 10, PUCK: 8}[int(kind[row])]
        seen[row, thing : thing + 2] = place[row] + random.normal(size=2) * CLOSE
    holds = np.stack(
        [
            np.linalg.norm(seen[:, 4:6] - place, axis=1) <= CLOSE,
            seen[:, 6] >= 0.8 * TRAVEL,
            seen[:, 7] >= (place[:, 0] - 0.05) * WIDEST,
            np.linalg.norm(seen[:, 10:12] - place, axis=1) <= CLOSE,
            np.linalg.norm(seen[:, 8:10] - place, axis=1) <= CLOSE,
        ]
    )[kind, np.arange(4000)]
    paid = np.asarray(jax.jit(jax.vmap(worth))(seen, kind, place))
    np.testing.assert_array_equal(paid == 1.0, holds)
    assert 0 < paid.min() <= paid[~holds].max() < 0.8
    assert {int(each) for each in kind[holds]} == set(range(len(KINDS)))


def test_an_observation_shows_the_body() -> None:
    task = jax.tree.map(jnp.asarray, WORLD.tasks()["near_then_peg"])
    body = WORLD.begin(KEY, task)
    shown = WORLD.body(WORLD.observe(body, task), task)
    jax.tree.map(lambda one, other: np.testing.assert_allclose(one, other, atol=1e-5), shown, body)


def test_joints_bring_the_tip_to_a_place_on_either_side() -> None:
    random = np.random.default_rng(1)
    angle, far = random.uniform(-np.pi, np.pi, 100), random.uniform(0.15, 1.05, 100)
    place = jnp.asarray(np.stack([far * np.cos(angle), far * np.sin(angle)], axis=1), jnp.float32)
    for elbow in (1.0, -1.0):
        joints = jax.vmap(lambda place, elbow=elbow: joints_at(place, elbow))(place)
        np.testing.assert_allclose(jax.vmap(tip)(joints), place, atol=1e-3)
        assert np.all(elbow * np.asarray(joints[:, 1]) >= 0)


def scripted(seen: jax.Array, detour: jax.Array) -> jax.Array:
    """Do the present part by a script: the action float32 [3] for one observation. detour: bool [], whether a peg is carried
    past the side where there is no door."""
    kind, place, point = jnp.argmax(seen[SEEN + 2 : -1]), seen[SEEN : SEEN + 2], seen[4:6]
    puck, peg, door = seen[8:10], seen[10:12], seen[7]
    held = jnp.linalg.norm(point - handle(door)) < 0.08
    carries = jnp.linalg.norm(point - peg) < 0.1
    goal = jnp.where(detour, jnp.array([0.6, 0.0]), place) + point - peg
    # behind the puck, as seen from the place; the tip goes around where the puck is in the way
    away = (puck - place) / jnp.linalg.norm(puck - place)
    behind, side = puck + 0.17 * away, jnp.stack([-away[1], away[0]])
    offset = point - puck
    along, across = offset @ away, offset @ side
    around = puck + 0.22 * jnp.sign(across + 1e-6) * side + 0.05 * away
    lined = (along > 0.08) & (jnp.abs(across) < 0.04)
    beside = (along > -0.02) | (jnp.linalg.norm(offset) > 0.5)
    push = puck + (0.12 - jnp.minimum(0.06, jnp.linalg.norm(puck - place))) * away
    by_kind = [
        towards(seen, place),
        towards(seen, jnp.asarray(BUTTON) - jnp.array([0.0, TRAVEL])),
        towards(seen, jnp.where(held, handle(door + 0.15), handle(door)), jnp.where(held, 1.0, -1.0)),
        towards(seen, jnp.where(carries, goal, peg), jnp.where(carries, 1.0, -1.0)),
        towards(seen, jnp.where(lined, push, jnp.where(beside, behind, around))),
    ]
    return jnp.stack(by_kind)[kind]


@jax.jit
def done(tasks: Any, detours: Any) -> jax.Array:
    """How many parts of tasks [64] the script does, with detours in the first decisions of each row: int32 [64]."""

    def tick(held: Any, given: Any) -> Any:
        (state, step), (age, key) = held, given
        action = jax.vmap(scripted)(step.observation, age < detours)
        return WORLD.step(key, state, action, tasks), None

    given = jnp.arange(WORLD.time_limit), jax.random.split(KEY, WORLD.time_limit)
    (state, _), _ = jax.lax.scan(tick, WORLD.init(KEY, tasks), given)
    return state.body.done


def test_a_script_does_every_chore_that_is_possible() -> None:
    tasks = Grammar(number=64)(KEY)
    assert np.all(possible(tasks))
    assert {int(kind) for kind in np.asarray(tasks.kind).ravel()} == set(range(len(KINDS)))
    found = np.maximum.reduce([done(tasks, jnp.full(64, detours)) for detours in (0, 40, 100)])
    failed = [(tasks.kind[row].tolist(), tasks.place[row].tolist()) for row in np.flatnonzero(found < 2)]
    assert not failed


def test_what_is_out_of_reach_is_marked_and_only_proposed_where_asked_for() -> None:
    tasks = Grammar(number=64, feasible=False)(KEY)
    far = np.linalg.norm(np.asarray(tasks.place), axis=-1)
    placed = np.isin(np.asarray(tasks.kind), [NEAR, PEG, PUCK])
    out = np.any(placed & (far > 1.1), axis=1)
    assert out.any()
    assert not np.any(np.asarray(possible(tasks))[out])
    assert np.all(np.asarray(possible(tasks))[~np.any(placed, axis=1)]), "button and door can be reached"


def test_doors_are_asked_to_open_wider_than_they_are() -> None:
    tasks = Grammar(number=64)(KEY)
    doors = np.asarray(tasks.place[..., 0])[np.asarray(tasks.kind) == OPEN]
    assert doors.min() > 0.5 + 0.05
    assert doors.max() <= 1.0
    pays = worth(jnp.zeros(SEEN).at[7].set(WIDEST / 2), jnp.int32(OPEN), jnp.array([doors.min(), 0.0]))
    assert float(pays) < 0.8
