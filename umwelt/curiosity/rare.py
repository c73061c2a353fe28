"""Goals where a learned latent is thinly populated, and the recorded path to them: "Cell-free latent Go-Explore" (ICML 2023).

The latent is that of an inverse model, which predicts the action between two moments. Distances in it are divided by the
running mean of one step's. So a threshold means the same for every size of the latent.
"""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.core import Info, Metric, keys, part, struct
from umwelt.networks import layers
from umwelt.networks.layers import Stack
from umwelt.networks.optimise import optimiser, stepped, where_any
from umwelt.networks.temporal import length, neighbours

INVERSE = Metric(
    name="inverse_loss", unit="squared units", meaning="error of the action that is predicted from two moments", better="down"
)


@struct
class RareState:
    """encoder, teller: stacks, from features to the latent, and from two latents to the action. optimiser: of both. step:
    float32 [], the mean distance of neighbours in time. routes: float32 [K, P, G], the paths to candidates, the rarest
    first."""

    encoder: Stack
    teller: Stack
    optimiser: Any
    step: jax.Array
    routes: jax.Array


@part
class Rare:
    """Draws goals from remembered moments, the most solitary ones most often, and lays subgoals along the way there.

    >>> goals = Rare(subgoals=2, pool=4)
    >>> state = goals.init(jax.random.key(0), width=3, actions=1)
    >>> goals.choose(jax.random.key(1), state, jnp.zeros((5, 3))).shape
    (5, 2, 3)
    """

    size: int = 16
    """Numbers of the latent."""
    units: int = 64
    """Width of its hidden layer."""
    learning_rate: float = 1e-3
    """Step size of Adam."""
    pool: int = 64
    """Candidates of one lesson."""
    share: float = 0.05
    """How much less often each next candidate is drawn, in their order; 0 draws all evenly."""
    subgoals: int = 8
    """Subgoals of a path, the goal included."""
    threshold: float = 2.0
    """The distance in the latent, in steps, at which a subgoal is reached, and that subgoals are apart at least."""

    metrics = (INVERSE,)
    ends = True
    cites = ("latent_go_explore_2023",)

    def init(self, key: jax.Array, width: int, actions: int) -> RareState:
        """Begin with goals anywhere in the unit box."""
        if not 0.0 <= self.share < 1.0:
            raise ValueError(f"share={self.share}: the chance of the first candidate lies in 0 .. 1, and 0 draws evenly")
        encoding, telling, drawing = keys.split(key, "encode", "tell", "draw")
        encoder = layers.stack(encoding, (width, self.units, self.size), normed=False)
        teller = layers.stack(telling, (2 * self.size, self.units, actions), normed=False)
        goals = jax.random.uniform(drawing, (self.pool, 1, width), minval=-1.0, maxval=1.0)
        return RareState(
            encoder=encoder,
            teller=teller,
            optimiser=optimiser(self.learning_rate).init((encoder, teller)),
            step=jnp.float32(1.0),
            routes=jnp.repeat(goals, self.subgoals, axis=1),
        )

    def choose(self, key: jax.Array, state: RareState, seen: jax.Array) -> jax.Array:
        """Draw the routes [B, P, G] to goals, by a geometric law over their order."""
        number = state.routes.shape[0]
        logits = jnp.arange(number) * jnp.log1p(-jnp.float32(self.share))
        return state.routes[jax.random.categorical(key, logits, shape=seen.shape[:1])]

    def near(self, state: RareState, now: jax.Array, after: jax.Array, goal: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Pay 0 where the goal is reached and -1 elsewhere: float32 [N], and bool [N]."""
        reached = length(self.embed(state, after) - self.embed(state, goal)) < self.threshold
        return reached.astype(jnp.float32) - 1.0, reached

    def embed(self, state: RareState, features: jax.Array) -> jax.Array:
        """The latent of features [N, G], in steps: float32 [N, size]."""
        return layers.apply(state.encoder, features, jax.nn.relu) / state.step

    def learn(
        self, key: jax.Array, state: RareState, seen: jax.Array, done: jax.Array, valid: jax.Array
    ) -> tuple[RareState, Info]:
        """Update the inverse model, and order the ends of the stretches [N, L + 1, G] by how solitary they are."""
        weight = valid[:, 0].astype(jnp.float32)
        share = weight / jnp.maximum(jnp.sum(weight), 1.0)

        def miss(networks: tuple[Stack, Stack]) -> tuple[jax.Array, jax.Array]:
            now, after = (layers.apply(networks[0], seen[:, at], jax.nn.relu) for at in (0, 1))
            told = layers.apply(networks[1], jnp.concatenate([now, after], axis=-1), jax.nn.relu)
            return jnp.sum(share * jnp.mean((told - done[:, 0]) ** 2, axis=-1)), jnp.sum(share * length(now - after))

        networks = (state.encoder, state.teller)
        (loss, step), gradient = jax.value_and_grad(miss, has_aux=True)(networks)
        (encoder, teller), optimised = stepped(optimiser(self.learning_rate), gradient, state.optimiser, networks)
        mean = 0.99 * state.step + 0.01 * step
        after = RareState(encoder=encoder, teller=teller, optimiser=optimised, step=mean, routes=state.routes)
        after = RareState(**{**vars(after), "routes": self._routes(after, seen, valid)})
        return where_any(weight, after, state), {"inverse_loss": loss}

    def _routes(self, state: RareState, seen: jax.Array, valid: jax.Array) -> jax.Array:
        """The thinned paths to the last moments of the stretches' first episodes, the most solitary first: [K, P, G]."""
        number = min(self.pool, seen.shape[0])
        seen, valid = seen[:number], valid[:number]
        rows, longest, width = seen.shape
        alive = jnp.concatenate([jnp.ones((rows, 1), bool), jnp.cumsum(~valid, axis=1) == 0], axis=1)
        ends = jnp.sum(alive, axis=1) - 1
        latent = self.embed(state, seen.reshape(-1, width)).reshape(rows, longest, -1)
        last = latent[jnp.arange(rows), ends]
        solitary = jnp.where(valid[:, 0], neighbours(last, last, 1), -1.0)
        kept = jax.vmap(lambda path, end: thinned(path, end, self.threshold))(latent, ends)
        at = jax.vmap(lambda keep: spread(keep, self.subgoals))(kept)
        routes = seen[jnp.arange(rows)[:, None], at][jnp.argsort(-solitary)]
        return jnp.resize(routes, state.routes.shape)


def thinned(path: jax.Array, end: jax.Array, threshold: float) -> jax.Array:
    """Mark the points of a path [L, K] that are at least a threshold from the one marked before: bool [L]. The first and
    the point `end` are marked, and none behind it."""

    def look(last: jax.Array, given: Any) -> tuple[jax.Array, jax.Array]:
        point, at = given
        keep = (at == 0) | ((length(point - last) >= threshold) & (at <= end)) | (at == end)
        return jnp.where(keep, point, last), keep

    return jax.lax.scan(look, path[0], (path, jnp.arange(path.shape[0])))[1]


def spread(marks: jax.Array, number: int) -> jax.Array:
    """The places of `number` marks of bool [L], evenly among them, the last one last: int32 [number]. Where they are fewer,
    some come twice."""
    rank = jnp.cumsum(marks)
    wanted = jnp.ceil((jnp.arange(number) + 1) * rank[-1] / number).astype(rank.dtype)
    return jnp.argmax(rank[None] >= wanted[:, None], axis=1)
