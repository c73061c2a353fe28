"""Knowledge that is paid for: cross-values, beliefs and potentials against tables solved by hand and by value iteration."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings, strategies

import umwelt.check
from umwelt.behaviours import DQN, Cashed, ModelFree
from umwelt.behaviours.cashing import Tabled, cross_values
from umwelt.core import FIRST, MID, TimeStep, lived
from umwelt.memory import Ring
from umwelt.worlds import Corridor
from umwelt.worlds.corridor import LEFT, RIGHT, UP

KEY = jax.random.key(6)
WORLD = Corridor(batch=2, length=5, time_limit=20)
KNOWN = Tabled(world=WORLD, discount=0.9)
AGENT = Cashed(agent=ModelFree(learner=DQN(units=4), memory=Ring(bytes=20_000), batch=8), knowledge=KNOWN)


def test_the_corridor_keeps_the_contract() -> None:
    umwelt.check.world(WORLD, steps=40).raise_if_broken()


def test_the_agent_keeps_the_contract() -> None:
    umwelt.check.agent(AGENT, WORLD.spec, depth="shapes").raise_if_broken()


@settings(max_examples=25, deadline=None)
@given(strategies.integers(0, 10**6))
def test_the_value_of_an_environment_under_its_own_best_policy_is_its_best(seed: int) -> None:
    random = np.random.default_rng(seed)
    moves, rewards = random.dirichlet(np.ones(4), size=(3, 4, 2)), random.normal(size=(3, 4, 2))
    continues = random.uniform(0.5, 1.0, size=(3, 4, 2))
    cross = cross_values(moves, rewards, continues, 0.9)
    best = np.zeros((3, 4))
    for _ in range(400):
        best = (rewards + 0.9 * continues * np.einsum("ksat,kt->ksa", moves, best)).max(-1)
    np.testing.assert_allclose(cross[np.arange(3), np.arange(3)], best, atol=1e-5)
    assert (cross <= best[None] + 1e-5).all(), "no policy is better than the best"


def test_what_is_known_is_worth_the_way_to_the_right_door() -> None:
    seen = jnp.stack([WORLD.observe(WORLD.begin(KEY, None), task) for task in WORLD.tasks().values()])  # type: ignore[arg-type]
    # from cell 2 of 5, the right door is opened in the third decision
    for belief, wanted in (([1.0, 0.0], 0.81), ([0.0, 1.0], 0.81), ([0.5, 0.5], 0.0), ([0.75, 0.25], 0.405)):
        np.testing.assert_allclose(KNOWN.worth(seen, jnp.array([belief] * 2)), wanted, atol=1e-6)


def hyper() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The corridor with beliefs (none, up, down), an even draw of the side: the next place [S, B, A], the mean reward and
    whether it continues. A cell at the cue without knowledge becomes one of two, of even chance: see `solved`."""
    moves, rewards, continues = WORLD.tables()
    next = moves[0].argmax(-1)
    paid = np.stack([rewards.mean(0), rewards[0], rewards[1]], axis=1)
    return next, paid, continues[0]


def solved(potential: np.ndarray | None) -> np.ndarray:
    """Values [S, B, A] by value iteration, with the rise of a potential [S, B] paid where it is given."""
    next, paid, continues = hyper()
    values = np.zeros((5, 3, 4))
    for _ in range(300):
        best = values.max(-1)
        for cell in range(5):
            for known in range(3):
                for action in range(4):
                    there, goes_on = next[cell, action], continues[cell, action]
                    kinds = (1, 2) if known == 0 and there == 0 else (known, known)
                    worth = np.mean([best[there, kind] for kind in kinds])
                    rise = 0.0
                    if potential is not None:
                        later = np.mean([potential[there, kind] for kind in kinds])
                        rise = 0.9 * goes_on * later - potential[cell, known]
                    values[cell, known, action] = paid[cell, known, action] + rise + 0.9 * goes_on * worth
    return values


def test_paying_for_the_rise_leaves_the_best_policy_and_lowers_values_by_the_potential() -> None:
    beliefs = jnp.array([[0.5, 0.5], [1.0, 0.0], [0.0, 1.0]])
    seen = jnp.pad(jnp.eye(5), ((0, 0), (0, 2)))
    potential = np.stack([np.asarray(KNOWN.worth(seen, jnp.tile(belief, (5, 1)))) for belief in beliefs], axis=1)
    plain, cashed = solved(None), solved(potential)
    np.testing.assert_allclose(plain - cashed, np.repeat(potential[..., None], 4, axis=2), atol=1e-5)
    assert plain[2, 0].argmax() == LEFT, "without knowledge, to the cue first"
    assert plain[0, 1].argmax() == RIGHT


def walked(actions: list[int]) -> tuple[Any, list[np.ndarray], list[np.ndarray]]:
    """Both sides at once: the agent's state, beliefs after each decision, and what was cashed."""
    tasks: Any = jax.tree.map(lambda *leaves: jnp.stack(leaves), *WORLD.tasks().values())
    body, step = WORLD.init(KEY, tasks)
    see, turn, remember = jax.jit(AGENT.see), jax.jit(WORLD.step), jax.jit(AGENT.remember)
    agent, _ = see(KEY, AGENT.init(KEY, WORLD.spec), step)
    beliefs, cashed = [], []
    for choice in actions:
        action = jnp.full(2, choice, jnp.int32)
        agent = replace(agent, action=action)
        body, next = turn(KEY, body, action, tasks)
        agent, _ = see(KEY, agent, next)
        agent, info = remember(KEY, agent, lived(step, action, next))
        beliefs.append(np.asarray(agent.belief))
        cashed.append(np.asarray(info["cashed"]))
        step = next
    return agent, beliefs, cashed


def test_news_pay_when_they_come_and_the_next_episode_knows_nothing() -> None:
    _, beliefs, cashed = walked([LEFT, LEFT, RIGHT, RIGHT, RIGHT, RIGHT, UP, UP])
    np.testing.assert_allclose(beliefs[0], 0.5)
    np.testing.assert_allclose(beliefs[1], np.eye(2), atol=1e-6)
    np.testing.assert_allclose(beliefs[6], np.eye(2), atol=1e-6)
    np.testing.assert_allclose(beliefs[7], 0.5, err_msg="an episode begins")
    # at the cue, the right door is four moves and the door away, and it is one decision until there
    np.testing.assert_allclose(cashed[1], 0.9 * 0.9**4, atol=1e-6)
    np.testing.assert_allclose([cashed[0], *cashed[2:6]], 0.0, atol=1e-6)
    # what was cashed is taken back when the door pays
    np.testing.assert_allclose(cashed[6], -1.0, atol=1e-6)
    np.testing.assert_allclose(cashed[7], 0.0, atol=1e-6)


def test_what_cannot_be_is_forgotten() -> None:
    step = TimeStep(
        kind=jnp.array([MID, FIRST], jnp.int8),
        observation=jnp.zeros((2, 7)).at[0, 5].set(1.0),
        reward=jnp.zeros(2),
    )
    impossible = AGENT.updated(jnp.array([[0.0, 1.0], [0.0, 1.0]]), step.observation, jnp.zeros(2, jnp.int32), step)
    np.testing.assert_allclose(impossible, 0.5)


def test_without_weight_the_belief_is_shown_and_nothing_is_paid() -> None:
    tasks: Any = jax.tree.map(lambda *leaves: jnp.stack(leaves), *WORLD.tasks().values())
    _, step = WORLD.init(KEY, tasks)
    agent = Cashed(agent=AGENT.agent, knowledge=KNOWN, weight=0.0)
    state, _ = agent.see(KEY, agent.init(KEY, WORLD.spec), step)
    assert state.inner.observation["belief"].tolist() == [[0.5, 0.5]] * 2
    at_cue = TimeStep(
        kind=jnp.full(2, MID, jnp.int8), observation=jnp.eye(7)[jnp.array([0, 0])].at[:, 5].set(1.0), reward=jnp.ones(2)
    )
    _, info = agent.remember(KEY, state, lived(step, jnp.zeros(2, jnp.int32), at_cue))
    assert info["cashed"].tolist() == [0, 0]
