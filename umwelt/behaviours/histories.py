"""What a policy of histories reads and learns from: the last steps of an episode as numbers, and stretches of episodes."""

from dataclasses import replace
from typing import Any, Protocol

import jax
import jax.numpy as jnp

from umwelt.core import Experience, Info, Metric, struct
from umwelt.core.contracts import Mode
from umwelt.networks import policies, scale
from umwelt.networks.known_tasks import Announcement
from umwelt.networks.scale import Scale


@struct
class Context:
    """Steps of one episode in each row [N, K], the newest last.

    features: float32 [N, K, F]. actions: float32 [N, K, A], what was done at each step as a network reads it: units of a
    Box, or one-hot; zeros where it is not known, as at the newest step of a life. rewards: float32 [N, K], what followed
    the action; 0 where nothing has followed. wanted: float32 [N, K], the return that is asked for from each step on; in a
    stretch to learn from, that which was had. known: bool [N, K], steps without a gap; the rest is padding. In life what is
    known stands last. goal: float32 [N, F], features of which those that the world wants are shown and the others 0; None
    without a goal.
    """

    features: jax.Array
    actions: jax.Array
    rewards: jax.Array
    wanted: jax.Array
    known: jax.Array
    goal: Any = None


@struct
class Sequences:
    """Stretches [N, L] of episodes to learn from.

    context: all their steps. after: float32 [N, L, F], features after each. wanted_after: float32 [N, L], the return had
    from there on. continues: float32 [N, L], 0 where the episode terminated. acted: bool [N, L], the action is known.
    returned: bool [N, L], `wanted` is known. achieved: float32 [N, L, F], each step as a goal; None where none is read.
    task: leaves [N, L, ...], the tasks of the episodes, which may serve as labels and are never shown in acting; or None.
    """

    context: Context
    after: jax.Array
    wanted_after: jax.Array
    continues: jax.Array
    acted: jax.Array
    returned: jax.Array
    achieved: Any = None
    task: Any = None

    @property
    def weight(self) -> jax.Array:
        """float32 [N, L], 1 where there is something to learn from."""
        return self.context.known.astype(jnp.float32)


class SequenceLearner(Protocol):
    """A policy that reads histories and learns from stretches. All it reads is standard: Sequenced sees to that.

    Attributes that may be left out: reads_to_come = True, it reads `wanted`; reads_goal = True, it reads `goal`.
    """

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics that `learn` reports."""
        ...

    @property
    def context(self) -> int:
        """How many steps it reads when it acts."""
        ...

    @property
    def chunk(self) -> int:
        """How many actions it plans at once."""
        ...

    @property
    def length(self) -> int:
        """How many transitions a stretch has that it learns from."""
        ...

    def init(self, key: jax.Array, width: int, action: Any) -> Any:
        """Begin untrained, for `width` features and an action space."""
        ...

    def act(self, key: jax.Array, state: Any, features: Context, mode: Mode, open: jax.Array | None = None) -> jax.Array:
        """Plan actions, float32 [N, chunk, A], for histories [N, K]. Of a Box they are units, and what lies outside is cut;
        of choices they are scores, and the highest of those that are open [N, n] is taken."""
        ...

    def learn(self, key: jax.Array, state: Any, batch: Sequences) -> tuple[Any, Info]:
        """Update once."""
        ...


def empty(rows: int, length: int, features: int, actions: int, goal: bool) -> Context:
    """The context of rows that have seen nothing."""
    return Context(
        features=jnp.zeros((rows, length, features), jnp.float32),
        actions=jnp.zeros((rows, length, actions), jnp.float32),
        rewards=jnp.zeros((rows, length), jnp.float32),
        wanted=jnp.zeros((rows, length), jnp.float32),
        known=jnp.zeros((rows, length), bool),
        goal=jnp.zeros((rows, features), jnp.float32) if goal else None,
    )


def of(key: jax.Array, seen: Announcement, acts: policies.Policy, experience: Experience, reads_goal: bool) -> Sequences:
    """Make stretches of experience [N, L]. Of one that runs on into another episode, a single episode is known: that of a
    step which is drawn."""
    rows, length = experience.valid.shape
    drawn = jax.random.categorical(key, jnp.where(experience.valid, 0.0, -jnp.inf), axis=1)
    # a seam ends each episode but the last
    episode = jnp.cumsum(~experience.valid, axis=1)
    known = experience.valid & (episode == jnp.take_along_axis(episode, drawn[:, None], axis=1))
    acted = known & experience.acted

    def features(observation: Any) -> jax.Array:
        flat = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), observation)
        found = seen.rest.units(seen.without(flat)) if reads_goal else seen.whole.units(flat)
        return jnp.where(known[:, :, None], found.reshape(rows, length, -1), 0.0)

    flat = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), experience.action)
    actions = acts.features(acts.unit(flat)).reshape(rows, length, -1)
    to_come = jnp.full(known.shape, jnp.nan) if experience.to_come is None else experience.to_come
    returned = known & jnp.isfinite(to_come)
    rewards = jnp.where(known, experience.next.reward, 0.0)
    wanted = jnp.where(returned, to_come, 0.0)
    return Sequences(
        context=Context(
            features=features(experience.step.observation),
            actions=jnp.where(acted[:, :, None], actions, 0.0),
            rewards=rewards,
            wanted=wanted,
            known=known,
        ),
        after=features(experience.next.observation),
        wanted_after=wanted - rewards,
        continues=1.0 - experience.next.terminated.astype(jnp.float32),
        acted=acted,
        returned=returned,
        task=experience.task,
    )


def standard(context: Context, units: Scale, returns: Scale, clip: float, wants: jax.Array | None) -> Context:
    """A context whose features and returns have mean 0 and deviation 1. wants: bool [F], which features a goal names."""
    goal = context.goal
    if goal is not None and wants is not None:
        goal = jnp.where(wants, scale.standard(units, goal, clip), 0.0)
    known = context.known
    return replace(
        context,
        features=jnp.where(known[:, :, None], scale.standard(units, context.features, clip), 0.0),
        wanted=jnp.where(known, _standard(returns, context.wanted, clip), 0.0),
        goal=goal,
    )


def standardised(batch: Sequences, units: Scale, returns: Scale, clip: float, wants: jax.Array | None) -> Sequences:
    """Stretches in the same units as `standard` makes contexts; with a goal, also each step as one."""
    context, known = standard(batch.context, units, returns, clip, wants), batch.context.known
    return replace(
        batch,
        context=context,
        after=jnp.where(known[:, :, None], scale.standard(units, batch.after, clip), 0.0),
        wanted_after=jnp.where(known, _standard(returns, batch.wanted_after, clip), 0.0),
        achieved=None if wants is None else jnp.where(wants, context.features, 0.0),
    )


def chunks(batch: Sequences, size: int) -> tuple[jax.Array, jax.Array]:
    """The next `size` actions from each step on, float32 [N, L - size + 1, size * A], and whether all of them are known."""
    places = batch.acted.shape[1] - size + 1
    ahead = jnp.arange(places)[:, None] + jnp.arange(size)
    actions = batch.context.actions[:, ahead]
    return actions.reshape(*actions.shape[:2], -1), jnp.all(batch.acted[:, ahead], axis=-1)


def _standard(returns: Scale, values: jax.Array, clip: float) -> jax.Array:
    return scale.standard(returns, values[..., None], clip)[..., 0]
