"""Soft mixtures of experts against sums by hand, and inside a value network."""

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.behaviours import DQN
from umwelt.behaviours.batch import Batch
from umwelt.core import Discrete
from umwelt.networks import soft_mixture

KEY = jax.random.key(0)


def network(number: int = 4, tokens: int = 8, units: int = 16):
    return soft_mixture.experts(KEY, (units,), tokens, number, units, 3)


def test_a_mixture_equals_the_sums_of_its_definition() -> None:
    experts, tokens = network(), np.asarray(jax.random.normal(jax.random.key(1), (2, 8, 2)))
    slots, inner, outer = (np.asarray(each) for each in (experts.slots, experts.inner.weight, experts.outer.weight))
    experts_bias = np.asarray(jax.random.normal(jax.random.key(2), experts.inner.bias.shape))
    experts = jax.tree.map(lambda leaf: leaf, experts)
    experts = type(experts)(
        **{**vars(experts), "inner": type(experts.inner)(weight=experts.inner.weight, bias=jnp.asarray(experts_bias))}
    )
    for row in range(2):
        logits = np.einsum("md,dep->mep", tokens[row], slots)
        wanted = np.zeros((8, 2))
        weigh = np.exp(logits) / np.exp(logits).sum(axis=(1, 2), keepdims=True)
        for expert in range(slots.shape[1]):
            for slot in range(slots.shape[2]):
                share = np.exp(logits[:, expert, slot])
                read = (share / share.sum()) @ tokens[row]
                made = np.maximum(read @ inner[expert] + experts_bias[expert], 0.0) @ outer[expert]
                wanted += weigh[:, expert, slot, None] * made
        np.testing.assert_allclose(
            soft_mixture.mixed(experts, jnp.asarray(tokens), jax.nn.relu)[row], wanted, rtol=1e-4, atol=1e-5
        )


def test_one_expert_with_even_logits_is_a_dense_network_of_the_mean_token() -> None:
    experts = network(number=1)
    experts = type(experts)(**{**vars(experts), "slots": jnp.zeros_like(experts.slots)})
    tokens = jax.random.normal(KEY, (5, 8, 2))
    mean = tokens.mean(axis=1)
    dense = jax.nn.relu(mean @ experts.inner.weight[0] + experts.inner.bias[0]) @ experts.outer.weight[0] + experts.outer.bias[0]
    got = soft_mixture.mixed(experts, tokens, jax.nn.relu)
    np.testing.assert_allclose(got, jnp.broadcast_to(dense[:, None], got.shape), rtol=1e-4, atol=1e-5)


def test_tokens_in_another_order_come_out_in_that_order() -> None:
    experts, tokens = network(), jax.random.normal(KEY, (3, 8, 2))
    order = jnp.array([3, 1, 7, 0, 2, 6, 5, 4])
    one, other = (soft_mixture.mixed(experts, each, jax.nn.relu) for each in (tokens, tokens[:, order]))
    np.testing.assert_allclose(one[:, order], other, rtol=1e-4, atol=1e-5)


def test_experts_have_as_many_weights_as_the_layer_that_they_replace() -> None:
    for number in (1, 2, 4, 8):
        experts = network(number=number, units=64)
        assert experts.inner.weight.size + experts.outer.weight.size == 64 * 64
        # a slot for every token
        assert experts.slots.shape[1] * experts.slots.shape[2] == 8


def test_a_value_network_of_experts_learns_which_choice_pays() -> None:
    learner = DQN(units=32, experts=4, learning_rate=1e-2)
    random = np.random.default_rng(0)
    features, action = random.normal(size=(64, 5)).astype(np.float32), random.integers(0, 2, 64, np.int32)
    better = features[:, 0] > 0
    zeros = np.zeros(64, np.float32)
    batch = Batch(
        now=features, action=action, reward=np.float32(action == better), continues=zeros, after=features, weight=zeros + 1
    )
    state = jax.jit(lambda key: learner.init(key, 5, Discrete(n=2)))(KEY)
    update = jax.jit(lambda state: learner.learn(KEY, state, batch)[0])
    apply = jax.jit(lambda state: soft_mixture.apply(state.network, features, jax.nn.relu))
    for _ in range(100):
        state = update(state)
    assert np.mean(np.argmax(apply(state), axis=1) == better) > 0.9
