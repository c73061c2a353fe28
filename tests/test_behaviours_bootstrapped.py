"""The agent whose policy imitates its planner."""

import dataclasses

import jax
import pytest

import umwelt.check
from umwelt.behaviours import Bootstrapped, ModelPredictive
from umwelt.check.agent import CHOICES, SPEC
from umwelt.core import IMAGINED, Objective, spaces
from umwelt.memory.ring import Ring
from umwelt.memory.trajectories import Trajectories
from umwelt.models import Doubted, Ensemble, Implicit
from umwelt.planners import MPPI, Shooting

KEY = jax.random.key(8)
MODEL = Implicit(latent=16, units=16, encoder_units=16, group=4, teaches=False)
AGENT = Bootstrapped(
    model=Doubted(model=MODEL, units=8, members=2),
    planner=MPPI(samples=8, horizon=3, iterations=2, elites=4, choose="noisy"),
    examined_choose="mean",
    memory=Trajectories(bytes=200_000, length=3),
    plans=Ring(bytes=100_000),
    objective=Objective(),
    examined=Objective(),
    batch=8,
    length=3,
)


PLANNING = ModelPredictive(
    model=Doubted(model=dataclasses.replace(MODEL, teaches=True), units=8, members=2),
    planner=dataclasses.replace(AGENT.planner, spread=2.0, least_spread=0.05),
    memory=AGENT.memory,
    objective=Objective(),
    examined=Objective(),
    batch=8,
    length=3,
)


def test_it_keeps_the_contract() -> None:
    umwelt.check.agent(AGENT, SPEC).raise_if_broken()


def test_plans_among_choices_stay_probabilities_from_one_decision_to_the_next() -> None:
    state, step = PLANNING.init(KEY, CHOICES), umwelt.core.zeros_step(CHOICES)
    act = jax.jit(PLANNING.act)
    for index in range(3):
        state, _ = act(jax.random.fold_in(KEY, index), state, dataclasses.replace(step, kind=step.kind + 1))
        assert (state.planner.probability > 0).all()
        assert jax.numpy.allclose(state.planner.probability.sum(axis=-1), 1.0, atol=1e-5)


def test_a_memory_that_keeps_how_surprising_a_moment_was_does_for_it_as_well() -> None:
    agent = dataclasses.replace(AGENT, memory=Ring(bytes=200_000), length=0)
    state = agent.init(KEY, SPEC)
    inside = dataclasses.replace(umwelt.core.zeros_step(SPEC), kind=umwelt.core.zeros_step(SPEC).kind + 1)
    state, _ = agent.remember(KEY, state, inside, spaces.zeros(SPEC.action, SPEC.batch), inside)
    state, _ = jax.jit(agent.learn)(KEY, state)
    assert int(state.plans.filled) == 1
    assert state.memory.rows.surprise is not None


def test_plans_made_anew_are_kept_with_actions_of_the_planner() -> None:
    agent = dataclasses.replace(AGENT, anew=3)
    state = agent.init(KEY, SPEC)
    step = umwelt.core.zeros_step(SPEC)
    inside = dataclasses.replace(step, kind=step.kind + 1)
    remember, learn = jax.jit(agent.remember), jax.jit(agent.learn)
    for tick in range(6):
        action = spaces.sample(jax.random.fold_in(KEY, tick), SPEC.action, SPEC.batch)
        state, _ = remember(KEY, state, inside, action, inside)
    for _ in range(2):
        state, info = learn(KEY, state)
    assert int(state.plans.filled) == 6
    assert set(state.plans.rows.origin[:6].tolist()) == {IMAGINED}
    assert {"imitation_loss", "value_loss"} <= set(info)


def test_a_probe_chooses_in_its_own_way_where_it_is_said() -> None:
    state = AGENT.init(KEY, SPEC)
    step = umwelt.core.zeros_step(SPEC)
    drawn = [AGENT.act(KEY, state, step, mode)[1] for mode in ("explore", "exploit")]
    as_in_life = dataclasses.replace(AGENT, examined_choose="").act(KEY, state, step, "exploit")[1]
    assert (drawn[0] == as_in_life).all()
    assert not (drawn[0] == drawn[1]).any()
    with pytest.raises(ValueError, match="Shooting has no `choose`"):
        dataclasses.replace(AGENT, planner=Shooting()).init(KEY, SPEC)


def test_a_model_without_a_policy_is_refused() -> None:
    with pytest.raises(ValueError, match="no policy that could imitate"):
        dataclasses.replace(AGENT, model=Ensemble(members=2, layers=1, units=8)).init(KEY, SPEC)
