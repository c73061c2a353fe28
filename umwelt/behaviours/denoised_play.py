"""Play with words: chunks of actions and of what follows are denoised, given what is seen and what was said of it.

"PlayFusion: skill acquisition via diffusion from language-annotated play" (2023). Two bottlenecks of codes stand in the
network: one for the words, and one in the middle of the denoiser. So words and skills come from a vocabulary. Words are the
last features of what is seen here. The published network is a U-net over pictures and sentence embeddings.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.batch import mean
from umwelt.behaviours.denoised import DENOISING, windows
from umwelt.behaviours.histories import Context, Sequences, chunks
from umwelt.core import Info, Metric, keys, part, static, struct
from umwelt.core.contracts import Mode
from umwelt.networks import books, denoising, layers, policies
from umwelt.networks.books import Book
from umwelt.networks.denoisers import Denoiser, denoiser, embedded, laid
from umwelt.networks.layers import Layer
from umwelt.networks.optimise import optimiser, stepped, where_any

COMMITMENT = Metric(
    name="commitment", unit="squared units", meaning="squared distance of what passes a bottleneck from its code", better="down"
)


@struct
class PlayPolicy:
    """words: a layer [W, U] of what was said, or None. denoiser: it reads that beside what is seen."""

    words: Layer | None
    denoiser: Denoiser


@struct
class PlayState:
    """policy: its networks. said, skills: books of the words and of the middle of the denoiser. optimiser: Optax's."""

    policy: PlayPolicy
    said: Book
    skills: Book
    optimiser: Any
    acts: policies.Policy = static()


@part
class DenoisedPlay:
    """Draws chunks of actions by denoising, given words that pass a vocabulary; a `SequenceLearner`."""

    words: int = 24
    """How many of the last features are words."""
    codes: int = 32
    """Codes in the middle of the denoiser; 0 for no bottleneck there."""
    word_codes: int = 8
    """Codes of words; 0 for no bottleneck there."""
    window: int = 2
    """Steps of history that it reads."""
    chunk: int = 4
    """Actions that are drawn at once."""
    steps: int = 50
    """Steps of denoising; 0 says the mean chunk at once, by squared error."""
    commitment: float = 0.25
    """Weight of the distance from what passes to its codes (beta)."""
    units: int = 64
    """Width of the hidden layers."""
    layers: int = 4
    """Hidden layers; the bottleneck stands in the middle."""
    learning_rate: float = 1e-3
    """Step size of Adam."""

    metrics = (DENOISING, COMMITMENT)
    cites = ("playfusion_2023",)

    @property
    def context(self) -> int:
        """Steps of history that it reads."""
        return self.window

    @property
    def length(self) -> int:
        """Transitions of a stretch to learn from."""
        return self.window + self.chunk - 1

    def init(self, key: jax.Array, width: int, action: Any) -> PlayState:
        """Begin untrained."""
        seen = width - self.words
        if seen < 1:
            raise ValueError(f"words={self.words}: all {width} features would be words; give as many as the world shows, or 0")
        acts = policies.over(action)
        size = self.chunk * (acts.inputs + seen)
        for_words, for_denoiser = keys.split(key, "words", "denoiser")
        condition = self.window * (seen + 1) + self.units
        policy = PlayPolicy(
            words=layers.layer(for_words, self.words, self.units) if self.words else None,
            denoiser=denoiser(for_denoiser, condition, size, size, self.units, self.layers),
        )
        return PlayState(
            policy=policy,
            said=books.book(max(self.word_codes, 1), self.units),
            skills=books.book(max(self.codes, 1), self.units),
            optimiser=self._optimiser().init(policy),
            acts=acts,
        )

    def act(self, key: jax.Array, state: PlayState, features: Context, mode: Mode, open: jax.Array | None = None) -> jax.Array:
        """Draw a chunk after histories [N, K], in every mode: float32 [N, chunk, A]."""
        seen, words = self._condition(features)
        seen, words = seen[:, -1], words[:, -1]
        count = state.acts.inputs

        def predict(noisy: jax.Array, step: jax.Array) -> jax.Array:
            return self.said(state.policy, state, seen, words, noisy, step)[0]

        shape = (seen.shape[0], state.policy.denoiser.noisy.weight.shape[0])
        if self.steps:
            drawn = denoising.ddpm(key, denoising.linear(self.steps), predict, shape)
        else:
            drawn = predict(jnp.zeros(shape), jnp.zeros(shape[0]))
        return drawn.reshape(drawn.shape[0], self.chunk, -1)[:, :, :count]

    def learn(self, key: jax.Array, state: PlayState, batch: Sequences) -> tuple[PlayState, Info]:
        """Update the networks once, and move the codes."""
        stepping, noising, wording, skilling = keys.split(key, "step", "noise", "words", "skills")
        actions, known = chunks(batch, self.chunk)
        places = known.shape[1]
        weight = known.reshape(-1).astype(jnp.float32)
        ahead = jnp.arange(places)[:, None] + jnp.arange(self.chunk)
        # what follows is brought to the unit box, as actions are
        after = jnp.clip(batch.after[:, ahead, : batch.after.shape[-1] - self.words] / 3.0, -1.0, 1.0)
        both = jnp.concatenate([actions.reshape(*after.shape[:3], -1), after], axis=-1)
        clean = jnp.where(known[:, :, None], both.reshape(*known.shape, -1), 0.0).reshape(weight.shape[0], -1)
        seen, words = (each[:, :places].reshape(weight.shape[0], -1) for each in self._condition(batch.context))
        step = jax.random.randint(stepping, weight.shape, 0, max(self.steps, 1))
        if self.steps:
            wanted = jax.random.normal(noising, clean.shape)
            noisy = denoising.noised(denoising.linear(self.steps), clean, wanted, step)
        else:
            wanted, noisy = clean, jnp.zeros_like(clean)

        def miss(policy: PlayPolicy) -> tuple[jax.Array, Any]:
            found, (spoken, middle), far = self.said(policy, state, seen, words, noisy, step)
            missed = mean(jnp.mean((found - wanted) ** 2, axis=-1), weight)
            apart = mean(far, weight)
            return missed + self.commitment * apart, (missed, apart, spoken, middle)

        (_, (missed, apart, spoken, middle)), gradient = jax.value_and_grad(miss, has_aux=True)(state.policy)
        policy, optimised = stepped(self._optimiser(), gradient, state.optimiser, state.policy)
        moved = replace(
            state,
            policy=policy,
            optimiser=optimised,
            said=books.moved(wording, state.said, spoken, weight) if self.word_codes else state.said,
            skills=books.moved(skilling, state.skills, middle, weight) if self.codes else state.skills,
        )
        return where_any(weight, moved, state), {"denoising_loss": missed, "commitment": apart}

    def said(
        self, policy: PlayPolicy, state: PlayState, seen: jax.Array, words: jax.Array, noisy: jax.Array, step: jax.Array
    ) -> tuple[jax.Array, tuple[jax.Array, jax.Array], jax.Array]:
        """The noise of rows [N, D], or their mean; what came to the two bottlenecks, [N, U] each; and how far that was from
        codes, [N]."""
        rows = seen.shape[0]
        spoken = jnp.zeros((rows, self.units)) if policy.words is None else embedded(policy.words, words)
        read, far = spoken, jnp.zeros(rows)
        if self.word_codes:
            read, apart = books.rounded(state.said, spoken)
            far = far + apart
        network = policy.denoiser
        inputs = laid(network, jnp.concatenate([seen, read], axis=-1), noisy, step)
        hidden = inputs[:, :0]
        middle = hidden
        for index, each in enumerate(network.hidden):
            hidden = layers.activated(each, jnp.concatenate([hidden, inputs], axis=-1) @ each.weight, layers.mish)
            if index == len(network.hidden) // 2 - 1:
                middle = hidden
                if self.codes:
                    hidden, apart = books.rounded(state.skills, hidden)
                    far = far + apart
        return layers.finished(network.last, hidden @ network.last.weight), (spoken, middle), far

    def _condition(self, context: Context) -> tuple[jax.Array, jax.Array]:
        """What is seen up to each step of histories [N, K], [N, K, window (F + 1)], and the words there, [N, K, W]."""
        edge = context.features.shape[-1] - self.words
        return windows(context.features[..., :edge], context.known, self.window), context.features[..., edge:]

    def _optimiser(self) -> Any:
        return optimiser(self.learning_rate, clip=1.0)
