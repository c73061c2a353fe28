"""An agent that acts as the data do, against the data themselves."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt.claims.studies.crossed import Crossed
from umwelt.claims.studies.demonstrating import Demonstrator
from umwelt.evaluation import diversity
from umwelt.networks.inside import with_batch
from umwelt.worlds import Crossing, crossing

KEY = jax.random.key(0)


def test_each_row_keeps_its_way_and_ways_are_those_that_are_shown() -> None:
    room, agent = with_batch(Crossing(), 24), Demonstrator(noise=0.0)
    task = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (24, *jnp.shape(leaf))), room.tasks()["any"])
    state, step = room.init(KEY, task)
    body = replace(agent.init(KEY, room.spec), route=jnp.arange(24))

    def tick(carry, key):
        body, state, step = carry
        body, action = agent.act(key, agent.see(key, body, step)[0], "exploit")
        state, after = room.step(key, state, action, task)
        return (body, state, after), (after.observation, after.reward)

    _, (path, reward) = jax.jit(lambda carry: jax.lax.scan(tick, carry, jax.random.split(KEY, 60)))((body, state, step))
    # what follows an episode's end belongs to the next one
    going = np.concatenate([np.ones((1, 24), bool), np.cumsum(np.asarray(reward), axis=0)[:-1] == 0])
    assert np.all(np.sum(np.asarray(reward) * going, axis=0) == 1.0)
    held = np.asarray(path).copy()
    for row in range(24):
        held[~going[:, row], row] = held[going[:, row], row][-1]
    np.testing.assert_array_equal(jax.vmap(crossing.route, 1)(jnp.asarray(held)), np.arange(24))
    drawn = Demonstrator(modes=6).embody(KEY, body, with_batch(Crossing(), 200).spec).route
    assert set(np.unique(drawn)) == {0, 4, 8, 12, 16, 20}


def test_it_is_as_many_sided_as_what_is_shown() -> None:
    study = Crossed(agent=Demonstrator(modes=6), modes=6, rows=60, turns=1, starts=5, probes=40, updates=1)
    shown = jax.tree.map(np.asarray, jax.jit(study.shown)(KEY))
    paths, paid = np.asarray(shown.next.observation).copy(), np.sum(shown.next.reward * shown.valid, axis=0)
    for row in range(60):
        paths[~shown.valid[:, row], row] = paths[shown.valid[:, row], row][-1]
    routes = jax.vmap(crossing.route, 1)(jnp.asarray(paths))
    of_data = diversity.entropy(routes, jnp.asarray(paid > 0.5), 6, crossing.ROUTES)
    found = jax.jit(study)(KEY)
    assert float(found["success"]) == pytest.approx(np.mean(paid > 0.5), abs=0.05)
    assert float(found["mode_entropy"]) == pytest.approx(float(of_data), abs=0.03)
    # no place of beginning decides the way
    assert float(found["entropy_given_start"]) > 0.9
