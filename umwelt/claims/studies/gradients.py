"""One policy, many rollouts of it, and the policy gradient that each gives: how far gradients scatter, and where they point."""

from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours import featured
from umwelt.behaviours.many_actions import ManyActions, ManyActionsState, Rows
from umwelt.behaviours.on_policy import Rollout
from umwelt.claims.arms import Measure
from umwelt.core import keys, part
from umwelt.evaluation import study
from umwelt.networks import actors
from umwelt.networks.form import form
from umwelt.networks.inside import with_batch
from umwelt.worlds import stream

VARIANCE = Measure(name="variance", unit="squared reward", better="down")
"""The trace of the covariance of the gradient, over rollouts of one policy."""
BIAS = Measure(name="bias", unit="of the gradient", better="down")
"""How far the mean gradient is from that of what was done alone, over its length; estimated without the scatter of rollouts."""


@part
class Gradients:
    """A policy that has practised for a while, and the scatter of its gradient; a function of a key.

    Features are flat observations as they are, so that the world itself can be the model.
    """

    world: Any
    """Pure, with one vector to observe."""
    learner: ManyActions
    rounds: int = 60
    """Rollouts from which the policy learns before it is held."""
    rows: int = 32
    """Rows of those."""
    ticks: int = 100
    """Decisions of each row."""
    few: int = 8
    """Rows of a rollout that gives one gradient."""
    trials: int = 96
    """Gradients."""
    lessons: int = 2000
    """Updates of the model, from the last rollouts of the policy that is held."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Practise, hold the policy, and measure its gradients: {measure: float32 []}."""
        beginning, practising, modelling, trying = keys.split(key, "begin", "practise", "model", "try")
        inner = self.learner.learner
        space = self.world.spec
        state = inner.init(beginning, form(space.observation).width, space.action)

        def practise(state: Any, key: jax.Array) -> tuple[Any, None]:
            acting, learning = keys.split(key, "act", "learn")
            return inner.learn(learning, state, self.rolled(acting, state, self.rows))[0], None

        state, _ = jax.lax.scan(practise, state, jax.random.split(practising, self.rounds))
        held = ManyActionsState(inner=state, model=self._modelled(modelling, state))

        def trial(key: jax.Array) -> tuple[jax.Array, jax.Array]:
            acting, dreaming = keys.split(key, "act", "dream")
            rollout = self.rolled(acting, state, self.few)
            rows = self.learner.rows(dreaming, held, rollout)
            number = rollout.weight.size
            return self.gradient(state, rows), self.gradient(state, jax.tree.map(lambda leaf: leaf[:number], rows))

        found, real = jax.lax.map(trial, jax.random.split(trying, self.trials))
        apart, length = squared_mean(found - real), jnp.maximum(squared_mean(real), 1e-12)
        return {
            "variance": jnp.sum(jnp.var(found, axis=0, ddof=1)),
            "bias": jnp.sqrt(jnp.maximum(apart, 0.0) / length),
        }

    def gradient(self, state: Any, rows: Rows) -> jax.Array:
        """The policy gradient of rows [N], as one vector [P]."""
        found, advantage, _ = rows

        def paid(policy: Any) -> jax.Array:
            likely = actors.log_prob(policy, state.acts, found.now, found.unit)
            return jnp.sum(likely * advantage * found.weight) / jnp.sum(found.weight)

        return jnp.concatenate([leaf.reshape(-1) for leaf in jax.tree.leaves(jax.grad(paid)(state.policy))])

    def rolled(self, key: jax.Array, state: Any, rows: int) -> Rollout:
        """What a policy does in whole episodes: leaves [ticks, rows, ...]."""
        room, seen = with_batch(self.world, rows), form(self.world.spec.observation)
        task = stream.default(room, None, rows)
        begin, roll = keys.split(key, "init", "roll")

        def tick(carry: Any, key: jax.Array) -> tuple[Any, Rollout]:
            world, step = carry
            acting, stepping = keys.split(key, "act", "step")
            action, unit, log_prob = self.learner.learner.act(acting, state, seen.flat(step.observation), "explore")
            world, next = room.step(stepping, world, action, task)
            weight = (~step.last).astype(jnp.float32)
            made = Rollout(
                now=seen.flat(step.observation),
                after=seen.flat(next.observation),
                unit=unit,
                log_prob=log_prob,
                reward=next.reward,
                terminated=next.terminated,
                last=next.last | step.last,
                weight=weight,
            )
            return (world, next), made

        return jax.lax.scan(tick, room.init(begin, task), jax.random.split(roll, self.ticks))[1]

    def _modelled(self, key: jax.Array, state: Any) -> Any:
        """The model's state, taught from rollouts of the policy."""
        beginning, acting, learning = keys.split(key, "begin", "act", "learn")
        flat = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:])[:, None], self.rolled(acting, state, self.rows))
        action = actors.action(state.acts, flat.unit[:, 0])[:, None]
        data = featured.moments(flat.now, action, flat.reward, flat.after, flat.terminated, flat.weight)
        model: Any = self.learner.model
        begun = model.init(beginning, with_batch(self.world, 1).spec)
        if model.diet == "stream":
            return begun
        return study.study(learning, model, begun, data, self.lessons, 256 * model.members)


def squared_mean(vectors: jax.Array) -> jax.Array:
    """The squared length of the mean of vectors [M, P], less what their scatter adds to it: float32 []."""
    return jnp.sum(jnp.mean(vectors, axis=0) ** 2) - jnp.sum(jnp.var(vectors, axis=0, ddof=1)) / vectors.shape[0]
