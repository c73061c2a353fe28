"""Practice in imagination: dreams begin in life, follow the model, end where it predicts an end, and grow."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import umwelt.check
from umwelt.behaviours import SAC, Dyna, Rolls
from umwelt.behaviours.dreams import Dreaming
from umwelt.check.agent import SPEC
from umwelt.core import IMAGINED, MID, Objective, Prediction, TimeStep, lived, part
from umwelt.memory.ring import Ring
from umwelt.models import Ensemble

KEY = jax.random.key(8)


@part
class Counting:
    """Adds one to every number of the observation, pays the first of them, and ends at `end`."""

    end: float = 1e9

    diet = "replay"
    metrics = ()

    def init(self, key: Any, spec: Any) -> Any:
        return jnp.zeros(())

    def start(self, state: Any, batch: int) -> Any:
        return jnp.zeros((batch, 3))

    def observe(self, key: Any, state: Any, belief: Any, action: Any, step: Any) -> Any:
        nothing = jnp.zeros(belief.shape[0])
        return step.observation, {"surprise": nothing, "doubt": nothing}

    def imagine(self, key: Any, state: Any, belief: Any, action: Any) -> Any:
        after = belief + 1.0
        goes_on = (after[:, 0] < self.end).astype(jnp.float32)
        return after, Prediction(observation=after, reward=after[:, 0], continues=goes_on, doubt=jnp.full(len(after), 0.5))


def dreaming(model: Any, **fields: Any) -> Dyna:
    return Dyna(model=model, learner=SAC(units=8), memory=Ring(bytes=50_000), dreamed=Ring(bytes=50_000), starts=4, **fields)


def lived_a_little(agent: Dyna, decisions: int = 5) -> Any:
    state = agent.init(KEY, SPEC)
    for tick in range(decisions):
        before, after = (
            TimeStep(kind=jnp.full(3, MID, jnp.int8), observation=jnp.full((3, 3), float(at)), reward=jnp.zeros(3))
            for at in (10 * tick, 10 * tick + 1)
        )
        state, _ = agent.remember(KEY, state, lived(before, jnp.zeros((3, 2)), after))
    return state


def test_dreams_begin_in_life_follow_the_model_and_are_scored_by_the_objective():
    agent = dreaming(Counting(), dreams=Rolls(horizon=3), objective=Objective(doubt=-2.0))
    dream, info = agent.dream(KEY, lived_a_little(agent))
    first = np.asarray(dream.step.observation[0, :, 0])
    assert set(first) <= {0.0, 10.0, 20.0, 30.0, 40.0}
    np.testing.assert_array_equal(dream.next.observation[..., 0], first + np.arange(1, 4)[:, None])
    # two for each unit of doubt, of which there is a half
    np.testing.assert_allclose(dream.next.reward, dream.next.observation[..., 0] - 1.0)
    assert (dream.origin == IMAGINED).all()
    assert float(info["dream_length"]) == 3.0
    assert bool(dream.valid.all())


def test_nothing_follows_an_end():
    agent = dreaming(Counting(end=-1.0), dreams=Rolls(horizon=3))
    dream, _ = agent.dream(KEY, lived_a_little(agent))
    assert dream.valid.tolist() == [[True] * 4, [False] * 4, [False] * 4]
    assert bool(dream.next.terminated[0].all())


@pytest.mark.parametrize(("decisions", "length"), [(2, 1), (5, 3), (20, 5)])
def test_dreams_grow_by_the_schedule(decisions, length):
    # three rows remember three decisions at once
    agent = dreaming(Counting(), dreams=Rolls(horizon=5, begin=6, finish=24))
    dream, info = agent.dream(KEY, lived_a_little(agent, decisions))
    assert float(info["dream_length"]) == length
    assert dream.valid.sum(axis=0).tolist() == [length] * 4
    # the last step of a short dream is no end
    assert not bool(dream.next.terminated[length - 1].any())


def test_the_agent_keeps_the_contract():
    model = Ensemble(members=2, layers=1, units=8, propagation="one")
    umwelt.check.agent(dreaming(model, model_batch=16, batch=16, dreams=Rolls(horizon=2)), SPEC).raise_if_broken()


@part
class Staying:
    """A way to dream of one's own: each observation of the memory pays one, and stays."""

    metrics = ()

    def dream(self, key: Any, dreaming: Dreaming) -> Any:
        experience = dreaming.experience
        next = dataclasses.replace(experience.step, kind=jnp.full_like(experience.step.kind, MID), reward=jnp.ones(4))
        made = dataclasses.replace(lived(experience.step, experience.action, next), origin=jnp.full(4, IMAGINED, jnp.int8))
        return jax.tree.map(lambda leaf: leaf[None], made), {}


def test_a_way_to_dream_is_a_part():
    agent = dreaming(Counting(), dreams=Staying(), batch=16)
    state, info = agent.learn(KEY, lived_a_little(agent))
    assert int(state.dreamed.filled) == 4
    assert set(np.asarray(state.dreamed.rows.next.reward[:4]).tolist()) == {1.0}
    assert "dream_length" not in info


def test_one_particle_is_moved_by_single_members():
    model = Ensemble(members=3, layers=1, units=8, propagation="one", noisy=False)
    state = model.init(KEY, SPEC)
    belief = jnp.full((64, 1, 3), 0.3)
    after, prediction = model.imagine(KEY, state, belief, jnp.zeros((64, 2)))
    np.testing.assert_array_equal(after[:, 0], prediction.observation)
    assert len(np.unique(np.asarray(after[:, 0]).round(5), axis=0)) == 3
    apart = dataclasses.replace(model, propagation="tsinf")
    each, _ = apart.imagine(KEY, state, jnp.full((64, 3, 3), 0.3), jnp.zeros((64, 2)))
    for row in after[:, 0]:
        assert np.isclose(row, each[0], atol=1e-5).all(axis=1).any()
