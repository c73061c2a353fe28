"""Units that no longer learn are reset, so that an old network can learn as a young one does."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import optax

from umwelt.core import part, struct
from umwelt.networks.members import Network
from umwelt.networks.optimise import transformation

Hidden = tuple[jax.Array, ...]
"""For each hidden layer float32 [E, units]."""


@struct
class RenewalState:
    """inner: the optimiser's. slopes: for each hidden layer float32 [E, units], the sum of each unit's absolute gradients
    since the last look. along: for each hidden layer float32 [E, units], the gradients of a unit's outgoing weights
    along those of the next biases. squares: float32 [E], of the latter. spread: for each layer float32 [], of its initial
    weights. count: int32, updates so far."""

    inner: Any
    slopes: Hidden
    along: Hidden
    squares: Hidden
    spread: tuple[jax.Array, ...]
    count: jax.Array


@part
class Renewal:
    """Hidden units whose gradients have died get new random weights, and the optimiser forgets them.

    Continual backpropagation ("Loss of plasticity in deep continual learning", Nature 2024) and ReDo ("The dormant
    neuron phenomenon in deep reinforcement learning", ICML 2023) judge a unit by its activations. We judge it by the
    gradients of its weights, as "Measure gradients, not activations!" (2025) does, because these are all that an optimiser
    reads. They also find units that are stuck at a value other than zero.

    A new unit begins with outgoing weights of zero. The constant output of a stuck unit goes into the next layer's biases,
    so that no prediction jumps. Its output for inputs that no batch has held since the last look is lost. It
    renews the members of an `umwelt.networks.members.Network`, which `Ensemble` is made of.

    >>> from umwelt.networks import members
    >>> weights = members.init(jax.random.key(0), 1, (1, 2, 1))
    >>> one, alive = jax.tree.map(jnp.ones_like, weights), jnp.array([[[1.0], [0.0]]])
    >>> slope = replace(one, weights=(alive, one.weights[1]), biases=(alive, one.biases[1]))

    >>> renewing = Renewal(every=1).around(optax.sgd(0.0))
    >>> step, _ = jax.jit(renewing.update)(slope, renewing.init(weights), weights)

    >>> [bool(jnp.any(step.weights[0][0, unit] != 0.0)) for unit in range(2)]  # the second unit has no gradient
    [False, True]
    """

    dormant: float = 0.01
    """The share of its layer's mean gradient below which a unit counts as dead."""
    every: int = 500
    """Updates from one look to the next; a new unit has as long to come to life."""
    seed: int = 0
    """The number that new weights are drawn from."""

    cites = ("continual_backprop_2024", "dormant_neurons_2023", "grama_2025")

    def around(self, optimiser: optax.GradientTransformation) -> optax.GradientTransformationExtraArgs:
        """Reset dead units after every `every`-th update of the optimiser."""

        def init(weights: optax.Params) -> RenewalState:
            network = found(weights)
            units = [bias[..., 0] for bias in network.biases[:-1]]
            return RenewalState(
                inner=optimiser.init(weights),
                slopes=tuple(jnp.zeros_like(layer) for layer in units),
                along=tuple(jnp.zeros_like(layer) for layer in units),
                squares=tuple(jnp.zeros_like(layer[:, 0]) for layer in units),
                spread=tuple(jnp.std(weight) for weight in network.weights),
                count=jnp.zeros((), jnp.int32),
            )

        def update(
            gradient: optax.Updates, state: RenewalState, weights: optax.Params | None = None, **more: Any
        ) -> tuple[optax.Updates, RenewalState]:
            if weights is None:
                raise ValueError("params: a renewal needs the weights; call update(gradient, state, weights)")
            step, inner = optax.with_extra_args_support(optimiser).update(gradient, state.inner, weights, **more)
            state = replace(_watched(state, found(gradient)), inner=inner, count=state.count + 1)

            def look() -> tuple[Any, RenewalState]:
                return self._renewed(optimiser, state, step, weights)

            return jax.lax.cond(state.count % self.every == 0, look, lambda: (step, state))

        return transformation(init, update)

    def _renewed(
        self, optimiser: optax.GradientTransformation, state: RenewalState, step: Any, weights: Any
    ) -> tuple[Any, RenewalState]:
        """Step dead units to their new weights, and drop them from the optimiser's state."""
        network, key = found(weights), jax.random.fold_in(jax.random.key(self.seed), state.count)
        onward, shift = list(found(step).weights), list(found(step).biases)
        kept = Network(weights=jax.tree.map(jnp.ones_like, network.weights), biases=jax.tree.map(jnp.ones_like, network.biases))
        keep, keep_bias = list(kept.weights), list(kept.biases)
        for layer, (slopes, along, squares) in enumerate(zip(state.slopes, state.along, state.squares, strict=True)):
            # a layer without gradients behind it says nothing about its units
            dead = (slopes <= self.dormant * jnp.mean(slopes, axis=1, keepdims=True)) & (squares > 0.0)[:, None]
            into, out = dead[:, :, None], dead[:, None, :]
            drawn = state.spread[layer] * jax.random.normal(jax.random.fold_in(key, layer), onward[layer].shape)
            onward[layer] = jnp.where(into, drawn - network.weights[layer], onward[layer])
            shift[layer] = jnp.where(into, -network.biases[layer], shift[layer])
            # where a unit is constant, the gradients of its outgoing weights are that constant times those of the biases
            constant = jnp.where(dead, along / jnp.maximum(squares, 1e-30)[:, None], 0.0)
            given = jnp.einsum("eoi,ei->eo", network.weights[layer + 1] + onward[layer + 1], constant)
            shift[layer + 1] = shift[layer + 1] + given[..., None]
            onward[layer + 1] = jnp.where(out, -network.weights[layer + 1], onward[layer + 1])
            keep[layer], keep_bias[layer] = keep[layer] * ~into, keep_bias[layer] * ~into
            keep[layer + 1] = keep[layer + 1] * ~out
        ones = jax.tree.map(jnp.ones_like, weights)
        kept = _with(ones, Network(weights=tuple(keep), biases=tuple(keep_bias)))
        inner = optax.tree_utils.tree_map_params(optimiser, lambda held, keeps: held * keeps, state.inner, kept)
        blank = jax.tree.map(jnp.zeros_like, (state.slopes, state.along, state.squares))
        moved = _with(step, Network(weights=tuple(onward), biases=tuple(shift)))
        return moved, replace(state, inner=inner, slopes=blank[0], along=blank[1], squares=blank[2])


def _watched(state: RenewalState, slope: Network) -> RenewalState:
    """Add one gradient to the sums."""
    slopes, along, squares = [], [], []
    for layer in range(len(state.slopes)):
        onward, beyond = slope.weights[layer + 1], slope.biases[layer + 1][..., 0]
        asked = jnp.mean(jnp.abs(slope.weights[layer]), axis=2) + jnp.abs(slope.biases[layer][..., 0])
        slopes.append(state.slopes[layer] + asked)
        along.append(state.along[layer] + jnp.einsum("eoi,eo->ei", onward, beyond))
        squares.append(state.squares[layer] + jnp.sum(beyond**2, axis=1))
    return replace(state, slopes=tuple(slopes), along=tuple(along), squares=tuple(squares))


def _is_network(node: Any) -> bool:
    return isinstance(node, Network)


def found(tree: Any) -> Network:
    """Find the network of members in weights, or in their gradient."""
    networks = [node for node in jax.tree.leaves(tree, is_leaf=_is_network) if _is_network(node)]
    if len(networks) != 1:
        raise ValueError(
            f"protection=Renewal(): the weights hold {len(networks)} networks of members, and it renews the units of one;"
            " give it to an `Ensemble`"
        )
    return networks[0]


def _with(tree: Any, network: Network) -> Any:
    """Put another network into the tree."""
    return jax.tree.map(lambda node: network if _is_network(node) else node, tree, is_leaf=_is_network)
