"""The agent whose policy imitates its planner."""

import dataclasses

import jax
import numpy as np
import pytest

import umwelt.check
from umwelt.behaviours import Bootstrapped, ModelPredictive
from umwelt.check.agent import CHOICES, SPEC
from umwelt.core import IMAGINED, MID, lived, spaces
from umwelt.memory.ring import Ring
from umwelt.memory.trajectories import Trajectories
from umwelt.models import Doubted, Ensemble, Implicit
from umwelt.planners import MPPI, Shooting

KEY = jax.random.key(8)
MODEL = Implicit(latent=16, units=16, encoder_units=16, group=4, improves=False)
INNER = ModelPredictive(
    model=Doubted(model=MODEL, units=8, members=2),
    planner=MPPI(samples=8, horizon=3, iterations=2, elites=4, choose="noisy"),
    examined_choose="mean",
    memory=Trajectories(bytes=200_000, length=3),
    batch=8,
    length=3,
)
AGENT = Bootstrapped(agent=INNER, plans=Ring(bytes=100_000))
PLANNING = dataclasses.replace(
    INNER,
    model=Doubted(model=dataclasses.replace(MODEL, improves=True), units=8, members=2),
    planner=dataclasses.replace(INNER.planner, spread=2.0, least_spread=0.05),
)


def test_it_keeps_the_contract() -> None:
    umwelt.check.agent(AGENT, depth="shapes").raise_if_broken()


def inside(spec):
    step = umwelt.core.zeros_step(spec)
    return dataclasses.replace(step, kind=step.kind + MID)


def test_plans_among_choices_stay_probabilities_from_one_decision_to_the_next() -> None:
    state = PLANNING.init(KEY, CHOICES)

    @jax.jit
    def turn(key, state):
        seen, _ = PLANNING.see(key, state, inside(CHOICES))
        return PLANNING.act(key, seen)[0]

    for index in range(3):
        state = turn(jax.random.fold_in(KEY, index), state)
        assert (state.planner.probability > 0).all()
        assert jax.numpy.allclose(state.planner.probability.sum(axis=-1), 1.0, atol=1e-5)


def test_a_memory_of_single_transitions_serves_as_well() -> None:
    agent = dataclasses.replace(AGENT, agent=dataclasses.replace(INNER, memory=Ring(bytes=200_000), length=0))
    umwelt.check.agent(agent, SPEC, depth="shapes").raise_if_broken()


def test_new_plans_are_kept_with_actions_of_the_planner() -> None:
    agent = dataclasses.replace(AGENT, replans=3)
    state = agent.init(KEY, SPEC)
    step = inside(SPEC)
    remember, learn = jax.jit(agent.remember), jax.jit(agent.learn)
    for tick in range(6):
        action = spaces.sample(jax.random.fold_in(KEY, tick), SPEC.action, SPEC.batch)
        state, _ = remember(KEY, state, lived(step, action, step))
    for _ in range(2):
        state, info = learn(KEY, state)
    assert int(state.plans.filled) == 6
    assert set(state.plans.rows.origin[:6].tolist()) == {IMAGINED}
    assert {"imitation_loss", "value_loss"} <= set(info)


def test_a_probe_chooses_in_its_own_way() -> None:
    alike = dataclasses.replace(INNER, examined_choose="")

    @jax.jit
    def chosen(state):
        state, _ = INNER.see(KEY, state, umwelt.core.zeros_step(SPEC))
        asked = ((INNER, "explore"), (INNER, "exploit"), (alike, "exploit"))
        return [agent.act(KEY, state, mode)[1] for agent, mode in asked]

    *drawn, as_in_life = map(np.asarray, chosen(INNER.init(KEY, SPEC)))
    assert (drawn[0] == as_in_life).all()
    assert not (drawn[0] == drawn[1]).any()
    with pytest.raises(ValueError, match="Shooting has no `choose`"):
        dataclasses.replace(INNER, planner=Shooting()).init(KEY, SPEC)


def test_a_model_without_a_policy_is_refused() -> None:
    plain = dataclasses.replace(INNER, model=Ensemble(members=2, layers=1, units=8))
    with pytest.raises(ValueError, match=r"agent\.model: Ensemble has no `imitate`"):
        dataclasses.replace(AGENT, agent=plain).init(KEY, SPEC)
