"""Which expert makes room when all have begun and a new one is needed."""

from dataclasses import replace

import jax
import jax.numpy as jnp

from umwelt.core import part, struct


@struct
class PruneState:
    """last: int32 [K], the transition at which each expert was last in use. beside: float32 [K, K], the mean of the
    logarithm of every expert's surprise (columns) while each (rows) was in use; infinite before that."""

    last: jax.Array
    beside: jax.Array


@part
class Prune:
    """First the expert that another can replace, because that one was hardly more surprised in its world. Where there is
    none, the expert that was in use longest ago.

    Experts that begin, are chosen by their error and end: "Task-agnostic online reinforcement learning with an infinite
    mixture of Gaussian processes" (NeurIPS 2020), which merges experts that agree. Here one of the two is dropped, because
    merged statistics of two worlds cannot be separated again.

    >>> prune, surprise = Prune(), jnp.array([0.0, 0.1, 3.0])  # in the world of expert 0, as logarithms
    >>> state = prune.watch(prune.init(3), now=jnp.int32(0), surprise=surprise, counts=True, count=5)

    >>> int(jax.jit(prune.victim)(state, 2))  # expert 1 can replace it
    0
    """

    alike: float = 1.5
    """An expert can be spared when another's surprise in its world is at most so many times its own; 0 looks only at
    when each was last in use."""
    patience: int = 150
    """Transitions over which surprise is averaged."""

    cites = ("infinite_mixture_2020",)

    def init(self, most: int) -> PruneState:
        """Begin before any expert was in use."""
        return PruneState(last=jnp.zeros(most, jnp.int32), beside=jnp.full((most, most), jnp.inf, jnp.float32))

    def watch(self, state: PruneState, now: jax.Array, surprise: jax.Array, counts: jax.Array, count: jax.Array) -> PruneState:
        """Add the logarithm of all experts' surprise [K] at transition `count`, where it `counts` (bool) for the one in use."""
        own = state.beside[now]
        mean = jnp.where(jnp.isinf(own), surprise, own + (surprise - own) / self.patience)
        return replace(
            state,
            last=state.last.at[now].set(jnp.where(counts, count, state.last[now])),
            beside=state.beside.at[now].set(jnp.where(counts, mean, own)),
        )

    def victim(self, state: PruneState, now: jax.Array) -> jax.Array:
        """Choose the expert that makes room, int32; never the one that is in use `now`."""
        most = state.last.shape[0]
        mine = jnp.diagonal(state.beside)
        others = jnp.min(jnp.where(jnp.eye(most, dtype=bool), jnp.inf, state.beside), axis=1)
        excess = jnp.where(jnp.isinf(mine) | (jnp.arange(most) == now), jnp.inf, others - mine)
        spared = jnp.argmin(excess)
        oldest = jnp.argmin(jnp.where(jnp.arange(most) == now, jnp.iinfo(jnp.int32).max, state.last))
        alike = excess[spared] <= jnp.log(self.alike) if self.alike else False
        return jnp.where(alike, spared, oldest).astype(jnp.int32)

    def forget(self, state: PruneState, index: jax.Array, due: jax.Array, count: jax.Array) -> PruneState:
        """Where `due`, drop all that is known of the expert `index`, and count it as in use now."""
        gone = (jnp.arange(state.last.shape[0]) == index) & due
        beside = jnp.where(gone[:, None] | gone[None], jnp.inf, state.beside)
        return PruneState(last=jnp.where(gone, count, state.last), beside=beside)
