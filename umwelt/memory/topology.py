"""A map of places: a fixed number of nodes, the decisions from each to each, and how often they were visited."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import part, struct


@struct
class TopologyState:
    """places: float32 [K, F]. visits: float32 [K]. edges: float32 [K, K], decisions from node to node, infinite where there
    is no edge. filled: int32 []."""

    places: jax.Array
    visits: jax.Array
    edges: jax.Array
    filled: jax.Array


@part
class Topology:
    """A graph of places that were seen. A place near to a node is that node; any other becomes one while there is room.

    >>> graph = Topology(nodes=4, near=1.0, joined=5.0)
    >>> state = graph.init(width=1)
    >>> for place in (0.0, 3.0, 6.0):
    ...     apart = jnp.abs(state.places[:, 0] - place)
    ...     state, node = graph.visited(state, jnp.array([place]), apart, apart)
    >>> float(graph.ways(state)[0, 2])  # by way of the node between them
    6.0
    """

    nodes: int = 64
    """Nodes, at most."""
    near: float = 4.0
    """A place that is no further than this from a node is that node, in decisions."""
    joined: float = 15.0
    """Two nodes no further apart than this are joined by an edge."""

    def init(self, width: int) -> TopologyState:
        """Make an empty map of places of `width` numbers."""
        if not 0.0 <= self.near < self.joined:
            raise ValueError(
                f"near={self.near}: nodes that are joined lie further apart than that; give less than joined={self.joined}"
            )
        return TopologyState(
            places=jnp.zeros((self.nodes, width)),
            visits=jnp.zeros(self.nodes),
            edges=jnp.full((self.nodes, self.nodes), jnp.inf),
            filled=jnp.int32(0),
        )

    def visited(
        self, state: TopologyState, place: jax.Array, there: jax.Array, back: jax.Array
    ) -> tuple[TopologyState, jax.Array]:
        """Count a visit of a place [F]; returns the node that it is, int32 []. there, back: float32 [K], decisions from it
        to each node and from each node to it; those of empty nodes are not read."""
        held = jnp.arange(self.nodes) < state.filled
        there, back = (jnp.where(held, each, jnp.inf) for each in (there, back))
        nearest = jnp.argmin(there)
        new = (there[nearest] > self.near) & (state.filled < self.nodes)
        node = jnp.where(new, state.filled, nearest)
        out, into = (jnp.where(each <= self.joined, each, jnp.inf) for each in (there, back))
        edges = state.edges.at[node].set(jnp.where(new, out, state.edges[node]))
        edges = edges.at[:, node].set(jnp.where(new, into, edges[:, node])).at[node, node].set(0.0)
        after = replace(
            state,
            places=state.places.at[node].set(jnp.where(new, place, state.places[node])),
            visits=state.visits.at[node].add(1.0),
            edges=edges,
            filled=state.filled + new,
        )
        return after, node

    def ways(self, state: TopologyState) -> jax.Array:
        """The decisions of the shortest way from each node to each, by min-plus squaring: float32 [K, K]."""

        def square(far: jax.Array, _: Any) -> tuple[jax.Array, None]:
            return jnp.minimum(far, jnp.min(far[:, :, None] + far[None], axis=1)), None

        return jax.lax.scan(square, state.edges, None, length=max(1, (self.nodes - 1).bit_length()))[0]

    def rarest(self, state: TopologyState, ways: jax.Array, node: jax.Array) -> jax.Array:
        """The least visited node that can be reached from a node, the nearest of equals: int32 []."""
        reachable = jnp.isfinite(ways[node])
        cost = jnp.where(reachable, state.visits + 1e-6 * jnp.where(reachable, ways[node], 0.0), jnp.inf)
        return jnp.argmin(cost)

    def next_hop(self, state: TopologyState, ways: jax.Array, node: jax.Array, target: jax.Array) -> jax.Array:
        """The neighbour of a node by which the way to a target is shortest: int32 []; the node itself where it is there."""
        through = jnp.where(jnp.arange(self.nodes) == node, jnp.inf, state.edges[node]) + ways[:, target]
        return jnp.where(node == target, node, jnp.argmin(through))
