"""What a policy learns from, wherever it comes from: transitions as numbers."""

from dataclasses import replace
from typing import Any, Protocol

import jax
import jax.numpy as jnp

from umwelt.behaviours.masks import admissible
from umwelt.core import SHOWN, Experience, Info, Metric, layers, static, struct
from umwelt.core.contracts import Mode
from umwelt.networks.form import Form
from umwelt.networks.optimise import Protection

VALUE = Metric(name="value", unit="reward", meaning="mean of the critics' values of the actions in the batch", better="up")
VALUE_LOSS = Metric(name="value_loss", unit="squared reward", meaning="mean squared error of the critics, before the update")
ENTROPY = Metric(name="policy_entropy", unit="nats", meaning="entropy of the policy, estimated by one draw of it")
IMITATION = Metric(
    name="imitation_loss",
    unit="nats",
    meaning="mean negative log-likelihood of the imitated actions, before the update",
    better="down",
)


@struct
class Batch:
    """Transitions [N]. now, after: float32 [N, F]. action: the world's, [N, ...]. reward, continues, weight:
    float32 [N]; continues is 0 where the episode terminated, weight 0 where nothing is to be learned. open, open_after:
    bool [N, n], the choices that are admissible at `now` and `after`; None where all are. steps: how many rewards were
    summed, at most. said: float32 [N, M], outputs that an earlier self gave at `now`, and kept: bool [N], the rows that are to
    answer so again in place of learning from their reward; None where there are none. shown: bool [N], rows of what others
    did. to_come: float32 [N], the rewards from here to the end of the episode, discounted as values are, NaN where they are not
    known; None where the memory does not keep them."""

    now: jax.Array
    action: Any
    reward: jax.Array
    continues: jax.Array
    after: jax.Array
    weight: jax.Array
    open: Any = None
    open_after: Any = None
    said: Any = None
    kept: Any = None
    shown: Any = None
    to_come: Any = None
    steps: int = static(default=1)


class Learner(Protocol):
    """A policy that learns from transitions. Features [N, F] are flat observations, or beliefs.

    Capabilities: imitate(key, state, batch) -> (state, Info), one step of the policy towards the actions of the batch;
    outputs(state, features) -> float32 [N, M], all that is said of features [N, F], for `Batch.said`. A learner that has it
    reads `said` and `kept` of a batch;
    worth(state, features, action) -> float32 [N], what given actions are worth, by the lowest critic where there are several;
    init_for(key, observation, action) -> state, in place of `init`, for an observation `Form` that may hold a picture.
    A learner whose `reads_to_come` is true finds `to_come` in a batch of memory.
    """

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics that `learn` reports."""
        ...

    @property
    def discount(self) -> float:
        """The worth of the next step in units of this one."""
        ...

    @property
    def protection(self) -> Protection | None:
        """What keeps its weights near to what they were, or able to learn."""
        ...

    def init(self, key: jax.Array, width: int, action: Any) -> Any:
        """Begin untrained, for `width` features and an action space."""
        ...

    def act(self, key: jax.Array, state: Any, features: jax.Array, mode: Mode, open: jax.Array | None = None) -> Any:
        """Choose actions [N, ...] for features [N, F], of choices among those that are open [N, n]."""
        ...

    def learn(self, key: jax.Array, state: Any, batch: Batch) -> tuple[Any, Info]:
        """Update once."""
        ...


def reads_to_come(learner: Any) -> bool:
    """Whether a learner, or one inside it, reads the rewards to the end of the episode."""
    return any(getattr(layer, "reads_to_come", False) for layer in layers(learner))


def of(observation_form: Form, action_form: Form, experience: Experience) -> Batch:
    """Make a batch of experience [N] over flat observations; rows whose action is not known weigh nothing."""
    step, next = experience.step, experience.next
    return Batch(
        now=observation_form.flat(step.observation),
        action=experience.action,
        reward=next.reward.astype(jnp.float32),
        continues=1.0 - next.terminated.astype(jnp.float32),
        after=observation_form.flat(next.observation),
        weight=experience.acted.astype(jnp.float32),
        open=admissible(observation_form, action_form, step.observation),
        open_after=admissible(observation_form, action_form, next.observation),
        shown=experience.origin == SHOWN,
        to_come=experience.to_come,
    )


def ahead(observation_form: Form, action_form: Form, experience: Experience, discount: float) -> Batch:
    """Make a batch [N * L] of experience [N, L], each row inside one episode: from every step to the end of its row.

    The reward is the discounted sum on the way there; `continues` is the discount of the end beside that of one step.
    """
    length = experience.valid.shape[1]
    powers = discount ** jnp.arange(length, dtype=jnp.float32)
    # [from, to]: the weight of the reward at `to`, none of what lies behind
    weights = jnp.triu(powers[jnp.abs(jnp.arange(length)[None] - jnp.arange(length)[:, None])])
    rows = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), experience)
    ends = jax.tree.map(lambda leaf: jnp.repeat(leaf[:, -1], length, axis=0), experience.next)
    whole = jnp.repeat(jnp.all(experience.acted, axis=1), length)
    return Batch(
        now=observation_form.flat(rows.step.observation),
        action=rows.action,
        reward=(experience.next.reward @ weights.T).reshape(-1),
        continues=(1.0 - ends.terminated) * jnp.tile(powers[::-1], experience.valid.shape[0]),
        after=observation_form.flat(ends.observation),
        weight=whole.astype(jnp.float32),
        open=admissible(observation_form, action_form, rows.step.observation),
        open_after=admissible(observation_form, action_form, ends.observation),
        steps=length,
    )


def wiped(batch: Batch) -> Batch:
    """Replace rows without weight by zeros, and open all their choices: what stands there, even infinity, reaches no
    gradient."""
    weighs = batch.weight > 0

    def wipe(leaf: jax.Array) -> jax.Array:
        return jnp.where(weighs.reshape(-1, *(1,) * (leaf.ndim - 1)), leaf, jnp.zeros_like(leaf))

    def opened(mask: jax.Array | None) -> jax.Array | None:
        return mask if mask is None else mask | ~weighs[:, None]

    return replace(jax.tree.map(wipe, batch), open=opened(batch.open), open_after=opened(batch.open_after))


def mean(values: jax.Array, weight: jax.Array) -> jax.Array:
    """The mean of values [N] by weight [N]; 0 where nothing weighs."""
    return jnp.sum(values * weight) / jnp.maximum(jnp.sum(weight), 1.0)
