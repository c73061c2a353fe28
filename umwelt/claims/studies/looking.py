"""An eye that learns where to look, beside a classifier that learns what it sees: the study of claims about glimpses."""

from typing import Any, Literal

import jax
import jax.numpy as jnp
import optax

from umwelt.behaviours.batch import Batch
from umwelt.behaviours.soft_actor_critic import SAC
from umwelt.claims.arms import Measure
from umwelt.core import keys, part
from umwelt.networks import layers
from umwelt.networks.optimise import optimiser
from umwelt.worlds.glimpse import Glimpse, GlimpseBody

ACCURACY = Measure(name="accuracy", unit="share", better="up")
"""Held-out digits that are classified right after the last glimpse."""
QUARTERS = ((-1.0, -1.0, 0.0), (1.0, -1.0, 0.0), (-1.0, 1.0, 0.0), (1.0, 1.0, 0.0))
"""Glimpses that show a quarter of the field each."""


@part
class Looking:
    """Learns to look and to tell digits by turns, and is examined on others. A function of a key.

    Glimpses are encoded one by one, and the codes averaged; the classifier and the eye read the average. An eye is paid the
    fall of the classifier's loss by its glimpse.
    """

    eye: Literal["learned", "random", "quarters"] = "learned"
    """What says where to look: a policy, chance, or a grid of quarters, which has no first glimpse of the whole."""
    world: Glimpse = Glimpse(batch=64)
    """Its rows are the pictures of one round."""
    learner: SAC = SAC(units=64, learning_rate=1e-3, discount=0.9, ema_rate=0.01)
    """Learns where to look."""
    units: int = 64
    """Width of the encoder and of the code."""
    learning_rate: float = 1e-3
    """Step size of the encoder and the classifier."""
    rounds: int = 1500
    """Rounds of looking, each with one update of the classifier and one of the eye."""
    kept: int = 8
    """Rounds that the eye learns from."""
    exams: int = 1024
    """Held-out pictures."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Learn, and examine: {measure: float32 []}."""
        beginning, living, ending = keys.split(key, "begin", "live", "end")
        one, other, third = jax.random.split(beginning, 3)
        seen = self.world.pixels**2 + 3
        networks: Any = (
            layers.stack(one, (seen, self.units, self.units), normed=False),
            layers.stack(other, (self.units, self.units, 10), normed=False),
        )
        policy = self.learner.init(third, self.units + 1, self.world.spec.action)
        rows, looks = self.world.batch, self.world.time_limit
        zeros = jnp.zeros((self.kept, rows * looks))
        wide = jnp.zeros((*zeros.shape, self.units + 1))
        past = Batch(now=wide, action=jnp.zeros((*zeros.shape, 3)), reward=zeros, continues=zeros, after=wide, weight=zeros)
        begun = (networks, optimiser(self.learning_rate).init(networks), policy, past)

        def turn(life: Any, given: tuple[jax.Array, jax.Array]) -> tuple[Any, None]:
            key, index = given
            networks, optimised, policy, past = life
            looking, drawing, learning = keys.split(key, "look", "draw", "learn")
            bodies = self._bodies(looking, rows, "all")
            views, batch, _ = self._looked(looking, bodies, networks, policy, "explore")
            gradient = jax.grad(lambda networks: jnp.mean(_losses(networks, views, bodies.label)))(networks)
            steps, optimised = optimiser(self.learning_rate).update(gradient, optimised, networks)
            if self.eye == "learned":
                past = jax.tree.map(lambda old, new: old.at[index % self.kept].set(new), past, batch)
                flat = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), past)
                picked = jax.random.randint(drawing, (256,), 0, zeros.size)
                policy, _ = self.learner.learn(learning, policy, jax.tree.map(lambda leaf: leaf[picked], flat))
            return (optax.apply_updates(networks, steps), optimised, policy, past), None

        given = (jax.random.split(living, self.rounds), jnp.arange(self.rounds))
        (networks, _, policy, _), _ = jax.lax.scan(turn, begun, given)
        bodies = self._bodies(ending, self.exams, "all_held_out")
        _, _, codes = self._looked(ending, bodies, networks, policy, "exploit")
        told = jnp.argmax(layers.apply(networks[1], codes, jax.nn.relu), axis=-1)
        return {"accuracy": jnp.mean(told == bodies.label)}

    def _bodies(self, key: jax.Array, rows: int, task: str) -> GlimpseBody:
        """Pictures [rows], not looked at yet."""
        return jax.vmap(self.world.begin, (0, None))(jax.random.split(key, rows), self.world.tasks()[task])

    def _looked(
        self, key: jax.Array, bodies: GlimpseBody, networks: Any, policy: Any, mode: Any
    ) -> tuple[jax.Array, Batch, jax.Array]:
        """Look at each picture [N]: the views [K, N, V], the decisions [N * looks], and the last codes [N, U]."""
        number, looks = bodies.label.shape[0], self.world.time_limit
        quarter = jnp.asarray(QUARTERS)
        where = jnp.broadcast_to(quarter[0], bodies.where.shape) if self.eye == "quarters" else bodies.where
        views, codes, actions = [self._view(bodies, where)], [], []
        for look in range(looks):
            codes.append(_told(networks, jnp.stack(views), look))
            acting = jax.random.fold_in(key, look)
            if self.eye == "learned":
                where = self.learner.act(acting, policy, codes[-1], mode)
            elif self.eye == "random":
                where = jax.random.uniform(acting, (number, 3), minval=-1.0, maxval=1.0)
            else:
                where = jnp.broadcast_to(quarter[look + 1], where.shape)
            actions.append(where)
            views.append(self._view(bodies, where))
        codes.append(_told(networks, jnp.stack(views), looks))
        losses = _losses(networks, jnp.stack(views), bodies.label)
        ends = jnp.arange(looks) == looks - 1
        batch = Batch(
            now=jnp.stack(codes[:-1]),
            action=jnp.stack(actions),
            reward=losses[:-1] - losses[1:],
            continues=jnp.broadcast_to(1.0 - ends[:, None], (looks, number)),
            after=jnp.stack(codes[1:]),
            weight=jnp.ones((looks, number)),
        )
        flat = jax.tree.map(lambda leaf: leaf.reshape(looks * number, *leaf.shape[2:]), batch)
        return jnp.stack(views), flat, codes[-1][:, :-1]

    def _view(self, bodies: GlimpseBody, where: jax.Array) -> jax.Array:
        """What is seen there, and where it is: float32 [N, V]."""
        return jnp.concatenate([jax.vmap(self.world.look)(bodies, where), where], axis=-1)


def _codes(networks: Any, views: jax.Array) -> jax.Array:
    """The mean code after each of the views [K, N, V]: float32 [K, N, U]."""
    number = views.shape[0]
    each = layers.apply(networks[0], views.reshape(-1, views.shape[-1]), jax.nn.relu).reshape(number, views.shape[1], -1)
    return jnp.cumsum(each, axis=0) / (1.0 + jnp.arange(number))[:, None, None]


def _told(networks: Any, views: jax.Array, look: int) -> jax.Array:
    """What the eye reads: the mean code so far, and how many looks there were, float32 [N, U + 1]."""
    code = _codes(networks, views)[-1]
    return jnp.concatenate([code, jnp.full((code.shape[0], 1), float(look))], axis=-1)


def _losses(networks: Any, views: jax.Array, labels: jax.Array) -> jax.Array:
    """The cross-entropy after each of the views [K, N, V]: float32 [K, N]."""
    codes = _codes(networks, views)
    logits = layers.apply(networks[1], codes.reshape(-1, codes.shape[-1]), jax.nn.relu).reshape(*codes.shape[:2], 10)
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[None, :, None], axis=-1)[..., 0]
