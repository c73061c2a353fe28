"""The learner of cards: one network that answers, and what keeps it from forgetting.

A world shows it, in its observation, a `card` to answer and the `truth` about the card before. Three things may keep
old answers: a memory of cards, a divergence from remembered outputs, and a protection of the weights. "A unified and
general framework for continual learning" (ICLR 2024) has them as three terms of one loss; here they are three fields.
"""

from dataclasses import replace
from typing import Any, Protocol

import jax
import jax.numpy as jnp

from umwelt.behaviours.batch import mean
from umwelt.behaviours.memories import empty, example
from umwelt.behaviours.pupil_views import Views
from umwelt.core import (
    DOUBT,
    SURPRISE,
    Discrete,
    Experience,
    Info,
    Metric,
    Prediction,
    TimeStep,
    WorldSpec,
    capability,
    keys,
    part,
    spaces,
    struct,
)
from umwelt.core.contracts import Memory, Mode
from umwelt.networks import members
from umwelt.networks.optimise import Protection, optimiser, stepped, where_any

ANSWER_LOSS = Metric(
    name="answer_loss", unit="nats", meaning="mean negative log-likelihood of the newest truths, before the update", better="down"
)
RIGHT = Metric(name="right", unit="share", meaning="newest cards that were answered rightly, before the update", better="up")


class Divergence(Protocol):
    """Says how far answers have moved, such as `umwelt.retention.Square()`."""

    def __call__(self, said: jax.Array, remembered: jax.Array) -> jax.Array:
        """Compare logits [N, C]: float32 [N]."""
        ...


@struct
class Resolved:
    """Cards whose truth is known. cards: float32 [N, h, w]. truth: int32 [N]. weight: float32 [N], 0 where nothing is to be
    learned. said: logits float32 [N, C] as they were when the card was met, or None."""

    cards: jax.Array
    truth: jax.Array
    weight: jax.Array
    said: Any = None


@struct
class PupilState:
    """network: one member. copy: an older network, or None. optimiser: Optax's. memory: its state, or None. newest: the
    last cards, in the order in which they were met. observation: leaves [B, ...], the last one. updates: int32 []."""

    network: members.Network
    copy: Any
    optimiser: Any
    memory: Any
    newest: Resolved
    observation: Any
    updates: jax.Array


@part
class Pupil:
    """Answers each card by one network, and learns from the truths that it has been shown.

    It learns a row only from what two neighbouring observations show, so no task and no boundary reaches it.
    """

    units: tuple[int, ...] = (128,)
    """Widths of the hidden layers."""
    learning_rate: float = 1e-3
    """Step size of Adam."""
    newest: int = 16
    """Rows of the last cards in each update; 0 learns from memory alone."""
    memory: Memory | None = None
    """Where cards are kept, such as `umwelt.memory.Lifelong()`."""
    rehearsed: int = 0
    """Rows from memory in each update."""
    truths: float = 1.0
    """Weight of the truths of rehearsed cards."""
    outputs: Divergence | None = None
    """How far answers may be from remembered ones; None does not remember answers."""
    said: float = 0.0
    """Weight of that divergence."""
    copied_every: int = 0
    """Updates from one copy of the network to the next. The newest cards are then held to what the copy says about them.
    With 0, rehearsed cards are held to what was said when they were met."""
    protection: Protection | None = None
    """What keeps the weights near to what they were, such as `umwelt.retention.Elastic()`."""
    views: Views | None = None
    """How rehearsed cards are shown; None shows them as they were met."""

    cites = ("refresh_2024", "dark_experience_2020", "lwf_2016")

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The loss and the share of right answers. Surprise is that of the truth just shown; there is no doubt."""
        return (SURPRISE, DOUBT, ANSWER_LOSS, RIGHT)

    def init(self, key: jax.Array, spec: WorldSpec) -> PupilState:
        """Begin untrained, with an empty memory."""
        shape, answers = self._sizes(spec)
        network = members.init(key, 1, (shape[0] * shape[1], *self.units, answers))
        rows = Resolved(
            cards=jnp.zeros((self.newest, *shape)),
            truth=jnp.zeros(self.newest, jnp.int32),
            weight=jnp.zeros(self.newest),
        )
        memory = None
        if self.memory is not None:
            blank = example(spec)
            if self._stores:
                said = jnp.zeros((spec.batch, answers), jnp.float32)
                blank = replace(blank, action={"answer": blank.action, "said": said})
            memory = empty(self.memory, blank, (max(1, self.rehearsed),))
        return PupilState(
            network=network,
            copy=jax.tree.map(jnp.copy, network) if self.copied_every else None,
            optimiser=self._optimiser().init(network),
            memory=memory,
            newest=rows,
            observation=spaces.zeros(spec.observation, spec.batch),
            updates=jnp.int32(0),
        )

    def see(self, key: jax.Array, state: PupilState, step: TimeStep) -> tuple[PupilState, Info]:
        """Keep the card to answer. Surprise is that of the truth about the card before, in nats."""
        truth = step.observation["truth"]
        logits = answers(state.network, state.observation["card"])
        known = ~step.first & (truth < logits.shape[-1])
        surprise = jnp.where(known, _misses(logits, truth), jnp.nan)
        doubt = jnp.full(step.kind.shape, jnp.nan, jnp.float32)
        return replace(state, observation=step.observation), {"surprise": surprise, "doubt": doubt}

    def act(self, key: jax.Array, state: PupilState, mode: Mode = "explore") -> tuple[PupilState, jax.Array]:
        """Give the likeliest answer, or a random one."""
        logits = answers(state.network, state.observation["card"])
        if mode == "random":
            return state, jax.random.randint(key, logits.shape[:1], 0, logits.shape[-1], jnp.int32)
        return state, jnp.argmax(logits, axis=-1).astype(jnp.int32)

    def remember(self, key: jax.Array, state: PupilState, experience: Experience) -> tuple[PupilState, Info]:
        """Keep the cards whose truth the next step shows."""
        found = _resolved(experience, _number(state))
        newest = jax.tree.map(
            lambda held, new: jnp.concatenate([held, new])[new.shape[0] :] if self.newest else held, state.newest, found
        )
        memory = state.memory
        if self.memory is not None:
            if self._stores:
                said = answers(state.network, found.cards)
                experience = replace(experience, action={"answer": experience.action, "said": said})
            memory = self.memory.add(key, memory, experience)
        return replace(state, newest=newest, memory=memory), {}

    def learn(self, key: jax.Array, state: PupilState) -> tuple[PupilState, Info]:
        """Update once from the newest cards and from memory; not at all where no new truth was shown."""
        drawing, showing = keys.split(key, "draw", "show")
        old = self._drawn(drawing, state)
        shown = old if old is None or self.views is None else replace(old, cards=self.views.show(showing, old.cards))

        def loss(network: members.Network) -> tuple[jax.Array, Info]:
            return self._loss(network, state, shown)

        (_, info), gradient = jax.value_and_grad(loss, has_aux=True)(state.network)
        network, optimised = stepped(
            self._optimiser(), gradient, state.optimiser, state.network, lambda at: jax.grad(loss, has_aux=True)(at)[0]
        )
        copy = state.copy
        if self.copied_every:
            due = (state.updates + 1) % self.copied_every == 0
            copy = jax.tree.map(lambda new, held: jnp.where(due, new, held), network, copy)
        after = replace(state, network=network, optimiser=optimised, copy=copy, updates=state.updates + 1)
        weight = state.newest.weight if old is None or self.newest else old.weight
        return where_any(weight, after, state), info

    def embody(self, key: jax.Array, state: PupilState, spec: WorldSpec) -> PupilState:
        """Put the same network into spec.batch rows, without memory."""
        return replace(state, memory=None, observation=spaces.zeros(spec.observation, spec.batch))

    def imagine(self, key: jax.Array, state: PupilState, actions: Any) -> Prediction | None:
        """Return None: it has no model."""
        return None

    def _loss(self, network: members.Network, state: PupilState, old: Resolved | None) -> tuple[jax.Array, Info]:
        """The errors on new and old cards, and the distance of answers from remembered ones."""
        new, total, info = state.newest, jnp.float32(0.0), {"answer_loss": jnp.float32(0.0), "right": jnp.float32(0.0)}
        if self.newest:
            logits = answers(network, new.cards)
            total = mean(_misses(logits, new.truth), new.weight)
            right = mean((jnp.argmax(logits, axis=-1) == new.truth).astype(jnp.float32), new.weight)
            info = {"answer_loss": total, "right": right}
            if self.outputs is not None and self.copied_every:
                # before the first copy there is nothing to be near to
                weight = self.said * (state.updates >= self.copied_every)
                total += weight * mean(self.outputs(logits, answers(state.copy, new.cards)), new.weight)
        if old is not None:
            logits = answers(network, old.cards)
            total += self.truths * mean(_misses(logits, old.truth), old.weight)
            if self.outputs is not None and self._stores:
                total += self.said * mean(self.outputs(logits, old.said), old.weight)
            if self.views is not None and self.views.agree:
                total += self.views.agree * mean(self.views.apart(logits), old.weight)
        return total, info

    def _drawn(self, key: jax.Array, state: PupilState) -> Resolved | None:
        """Draw from memory; by a schedule, where the memory keeps one."""
        if self.memory is None or not self.rehearsed:
            return None
        scheduled = capability(self.memory, "draw")
        shape = (self.rehearsed,)
        if scheduled is None:
            found = self.memory.sample(key, state.memory, shape)
        else:
            found = scheduled(key, state.memory, state.updates, shape)
        return replace(_resolved(found, _number(state)), said=found.action["said"] if self._stores else None)

    def _optimiser(self) -> Any:
        return optimiser(self.learning_rate, protection=self.protection)

    @property
    def _stores(self) -> bool:
        """Whether memory keeps what was said."""
        return self.memory is not None and self.outputs is not None and not self.copied_every

    def _sizes(self, spec: WorldSpec) -> tuple[tuple[int, int], int]:
        """The shape of a card and the number of answers."""
        space = spec.observation
        if not (isinstance(space, dict) and set(space) == {"card", "truth"} and isinstance(spec.action, Discrete)):
            raise ValueError(
                f"observation: Pupil answers cards, and {spec.name} shows {space}; take a world such as `umwelt.worlds.Cards`"
            )
        if self.rehearsed and self.memory is None:
            raise ValueError(f"rehearsed={self.rehearsed}: there is no memory to draw from; give `memory=Lifelong()`")
        return space["card"].shape, spec.action.n


def answers(network: members.Network, cards: jax.Array) -> jax.Array:
    """Apply a network of one member to cards [N, h, w]: logits [N, C]."""
    return members.apply(network, cards.reshape(cards.shape[0], -1).T[None])[0].T


def _misses(logits: jax.Array, truth: jax.Array) -> jax.Array:
    """The negative log-likelihood [N] of the truth [N] under logits [N, C]."""
    sure = jnp.minimum(truth, logits.shape[-1] - 1)
    return -jnp.take_along_axis(jax.nn.log_softmax(logits, axis=-1), sure[:, None], axis=-1)[:, 0]


def _number(state: PupilState) -> int:
    """How many answers there are."""
    return state.network.biases[-1].shape[1]


def _resolved(experience: Experience, number: int) -> Resolved:
    """Read the cards of transitions [N] and their truths; a step that shows none of the `number` answers weighs nothing."""
    cards, truth = experience.step.observation["card"], experience.next.observation["truth"]
    return Resolved(cards=cards, truth=truth, weight=(experience.valid & (truth < number)).astype(jnp.float32))
