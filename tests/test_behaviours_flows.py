"""Generative flows against the exact ones of a small set, and the world of sets."""

import itertools
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from umwelt import check
from umwelt.behaviours import Flows, OnPolicy
from umwelt.behaviours.on_policy import Rollout
from umwelt.claims.studies.drawn_sets import DrawnSets
from umwelt.networks.form import form
from umwelt.worlds.sets import Sets

KEY = jax.random.key(3)
SMALL = Sets(items=3, size=2)


def exact():
    """Subset -> the log of its flow; what is taken apart leaves each part equally often."""
    subsets = [frozenset(each) for size in (2, 1, 0) for each in itertools.combinations(range(3), size)]
    flow = {}
    for each in subsets:
        row = np.isin(range(3), list(each)).astype(np.float32)
        after = [each | {item} for item in range(3) if item not in each]
        flow[each] = np.exp(-SMALL.energy(row)) if len(each) == 2 else sum(flow[more] / len(more) for more in after)
    return {each: np.log(value) for each, value in flow.items()}


class Exact(Flows):
    """Flows that are looked up, whatever the network."""

    def flows(self, network, features, open):
        held = exact()
        logits, flows = np.full((8, 3), -1e9), np.zeros(8)
        for code in range(7):
            here = frozenset(item for item in range(3) if code >> item & 1)
            row = np.isin(range(3), list(here)).astype(np.float32)
            flows[code] = held[here] + (SMALL.energy(row) if self.balance == "forward" else 0.0)
            for item in set(range(3)) - here if len(here) < 2 else ():
                logits[code, item] = held[here | {item}] - np.log(len(here) + 1) - held[here]
        code = jnp.round(features[:, :3] @ jnp.array([1.0, 2.0, 4.0])).astype(int)
        return jnp.asarray(logits, jnp.float32)[code], jnp.asarray(flows, jnp.float32)[code]


def played(orders):
    """The rollout [3, B] of choices in given orders; the third moment is the seam of two episodes."""
    flat, rows = form(SMALL.spec.observation).flat, len(orders)
    chosen = [jnp.zeros((rows, 3))]
    for step in range(2):
        chosen.append(jnp.maximum(chosen[-1], jax.nn.one_hot(jnp.array([order[step] for order in orders]), 3)))
    see = lambda held: flat({"chosen": held, "open": 1.0 - held})  # noqa: E731
    paid = [SMALL.energy(one) - SMALL.energy(other) for one, other in itertools.pairwise(chosen)]
    ends = jnp.stack([jnp.zeros(rows), jnp.ones(rows), jnp.zeros(rows)]) > 0
    return Rollout(
        now=jnp.stack([see(each) for each in chosen]),
        after=jnp.stack([see(each) for each in (*chosen[1:], chosen[0])]),
        unit=jnp.array([[order[step] for order in orders] for step in (0, 1, 1)]),
        log_prob=jnp.zeros((3, rows)),
        reward=jnp.stack([*paid, jnp.zeros(rows)]),
        terminated=ends,
        last=ends,
        weight=jnp.stack([jnp.ones(rows), jnp.ones(rows), jnp.zeros(rows)]),
    )


@pytest.mark.parametrize("balance", ["forward", "detailed", "trajectory"])
def test_exact_flows_are_in_balance_and_no_others_are(balance):
    learner = Exact(balance=balance)
    state = learner.init(KEY, 6, SMALL.spec.action)
    state = replace(state, total=jnp.float32(exact()[frozenset()]))
    rollout = played([(0, 1), (1, 0), (2, 0), (1, 2)])
    assert float(learner.imbalance(state, rollout)) == pytest.approx(0.0, abs=1e-9)
    dearer = replace(rollout, reward=rollout.reward + 0.1)
    assert float(learner.imbalance(state, dearer)) > 1e-3


def test_sets_keep_the_contract_and_their_return_is_minus_the_energy():
    check.world(Sets(batch=2, items=4, size=2)).raise_if_broken()
    rollout = played([(0, 1), (2, 1)])
    alone, pairs = SMALL.energies
    wanted = [-(alone[0] + alone[1] + pairs[0, 1]), -(alone[2] + alone[1] + pairs[2, 1])]
    np.testing.assert_allclose(rollout.reward.sum(axis=0), wanted, atol=1e-6)
    assert len(Sets(items=6, size=3).objects()) == 20


def test_an_agent_of_flows_keeps_the_contract_and_learns_to_draw_by_reward():
    check.agent(OnPolicy(learner=Flows(units=8), horizon=3), SMALL.spec, depth="shapes").raise_if_broken()
    study = DrawnSets(learner=Flows(units=16, learning_rate=3e-3), world=SMALL, rows=8, episodes=1600)
    found = jax.jit(study)(KEY)
    assert float(found["late"]) < 0.08
    assert float(found["early"]) > float(found["late"])
