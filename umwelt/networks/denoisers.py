"""Denoisers of what is seen: networks that clean vectors given a condition, and ways to learn from them and to draw.

A way is a part. `Diffusion` predicts the noise and takes it away in many steps; `Consistency` cleans at once, in a step or
two. All ways share one network, so that a comparison of them is one of ways.
"""

from typing import Literal, Protocol

import jax
import jax.numpy as jnp

from umwelt.core import keys, part, struct
from umwelt.networks import denoising, layers
from umwelt.networks.denoising import Predict, Schedule
from umwelt.networks.layers import Layer


@struct
class Denoiser:
    """seen: a layer [F, W] of the condition. noisy: the same of vectors [D, W]. late: the same of embedded steps [W, W].
    hidden: layers [3 W, W] and [4 W, W] that read all three again. last: a layer [W, out]."""

    seen: Layer
    noisy: Layer
    late: Layer
    hidden: tuple[Layer, ...]
    last: Layer


def denoiser(key: jax.Array, width: int, size: int, out: int, units: int = 64, layers_: int = 3) -> Denoiser:
    """Draw a network that reads conditions of `width` numbers and noisy vectors of `size`, and says `out` numbers."""
    seen, noisy, late, last = keys.split(key, "seen", "noisy", "late", "last")
    return Denoiser(
        seen=layers.layer(seen, width, units),
        noisy=layers.layer(noisy, size, units),
        late=layers.layer(late, units, units),
        hidden=tuple(
            layers.layer(keys.fold(key, f"hidden{index}"), (4 if index else 3) * units, units) for index in range(layers_)
        ),
        last=layers.layer(last, units, out, scale=0.01),
    )


def reading(network: Denoiser, seen: jax.Array, shown: jax.Array | None = None) -> Predict:
    """Bind a network to conditions [N, F]: a function of noisy vectors [N, D] and their steps or levels [N]. shown: float32
    [N], 0 where the condition is hidden."""

    def predict(noisy: jax.Array, at: jax.Array) -> jax.Array:
        inputs = laid(network, seen, noisy, at, shown)
        hidden = inputs[:, :0]
        for each in network.hidden:
            hidden = layers.activated(each, jnp.concatenate([hidden, inputs], axis=-1) @ each.weight, layers.mish)
        return layers.finished(network.last, hidden @ network.last.weight)

    return predict


def laid(network: Denoiser, seen: jax.Array, noisy: jax.Array, at: jax.Array, shown: jax.Array | None = None) -> jax.Array:
    """What every hidden layer reads, float32 [N, 3 W]: the condition, the noisy vectors and their steps, each embedded."""
    known = embedded(network.seen, seen)
    known = known if shown is None else known * shown[:, None]
    time = embedded(network.late, denoising.waves(at, network.late.weight.shape[0]))
    return jnp.concatenate([known, embedded(network.noisy, noisy), time], axis=-1)


def embedded(layer: Layer, rows: jax.Array) -> jax.Array:
    """Rows [N, in] through a layer and its activation: float32 [N, out]."""
    return layers.activated(layer, rows @ layer.weight, layers.mish)


class Way(Protocol):
    """How a denoiser learns vectors in the unit box, and how it draws them."""

    def outputs(self, size: int) -> int:
        """How many numbers the network says of vectors of `size`."""
        ...

    def loss(self, key: jax.Array, network: Denoiser, clean: jax.Array, seen: jax.Array, lessons: jax.Array) -> jax.Array:
        """The loss [N] of vectors [N, D] under conditions [N, F], after so many lessons."""
        ...

    def draw(self, key: jax.Array, network: Denoiser, seen: jax.Array, size: int) -> jax.Array:
        """Draw vectors [N, size] under conditions [N, F]."""
        ...


@part
class Diffusion:
    """Predicts the noise, and draws by taking it away step by step."""

    steps: int = 50
    """Steps in which noise is added and taken away."""
    schedule: Literal["linear", "preserving"] = "linear"
    """How noise is shared among the steps: "linear" for many, "preserving" for a handful."""
    extra: int = 0
    """Further steps at the lowest noise, which draw what is left outside to the data."""
    densest: int = 0
    """Draw so many vectors and take the one among which most others lie; 0 takes the only one."""
    bandwidth: float = 0.1
    """Deviation of the kernel by which "densest" is measured."""
    guide: float = 0.0
    """How far the condition is exaggerated (classifier-free guidance); 0 for not at all, and nothing is hidden in lessons."""
    hidden: float = 0.1
    """Share of the conditions that a lesson hides, where there is guidance."""

    def outputs(self, size: int) -> int:
        """One number for each entry."""
        return size

    def loss(self, key: jax.Array, network: Denoiser, clean: jax.Array, seen: jax.Array, lessons: jax.Array) -> jax.Array:
        """The squared error of the predicted noise [N]."""
        noising, hiding = keys.split(key, "noise", "hide")
        shown = jax.random.bernoulli(hiding, 1.0 - self.hidden, clean.shape[:1]).astype(jnp.float32) if self.guide else None
        return denoising.noise_loss(noising, self._schedule, reading(network, seen, shown), clean)

    def draw(self, key: jax.Array, network: Denoiser, seen: jax.Array, size: int) -> jax.Array:
        """Draw in all steps, by the guided noise; of several draws the densest."""
        rows, number = seen.shape[0], max(self.densest, 1)
        seen = jnp.repeat(seen, number, axis=0)
        said = reading(network, seen)
        if self.guide:
            unseen = reading(network, seen, jnp.zeros(seen.shape[0]))
            predict: Predict = lambda noisy, at: (1.0 + self.guide) * said(noisy, at) - self.guide * unseen(noisy, at)  # noqa: E731
        else:
            predict = said
        drawn = denoising.ddpm(key, self._schedule, predict, (seen.shape[0], size), extra=self.extra)
        return drawn if number == 1 else densest(drawn.reshape(rows, number, size), self.bandwidth)

    @property
    def _schedule(self) -> Schedule:
        return denoising.linear(self.steps) if self.schedule == "linear" else denoising.preserving(self.steps)


@part
class Consistency:
    """Cleans each level of noise alike, and draws in a step or two.

    What it should say comes from the network itself ("Improved techniques for training consistency models", 2024). A running
    mean of its weights, as published earlier, passes too slowly from level to level in a few thousand lessons.
    """

    steps: int = 2
    """Steps in which vectors are drawn."""
    levels: int = 80
    """Levels of noise at the end of learning; there are two at the beginning."""
    growing: int = 4000
    """Lessons in which their number grows."""

    def outputs(self, size: int) -> int:
        """One number for each entry."""
        return size

    def loss(self, key: jax.Array, network: Denoiser, clean: jax.Array, seen: jax.Array, lessons: jax.Array) -> jax.Array:
        """The squared distance [N] to what the network says of a little less noise."""
        number = denoising.levels_at(jnp.minimum(lessons / self.growing, 1.0), last=self.levels)
        said = _late(reading(network, seen))
        return denoising.consistency_loss(key, said, said, clean, number)

    def draw(self, key: jax.Array, network: Denoiser, seen: jax.Array, size: int) -> jax.Array:
        """Clean pure noise at once, add less noise, clean again."""
        return denoising.consistency(key, _late(reading(network, seen)), (seen.shape[0], size), self.steps)


def densest(drawn: jax.Array, bandwidth: float) -> jax.Array:
    """Take of vectors [N, M, D] that at which the normal kernels of all M are highest: float32 [N, D]."""
    apart = jnp.sum((drawn[:, :, None] - drawn[:, None]) ** 2, axis=-1)
    density = jnp.sum(jnp.exp(-0.5 * apart / bandwidth**2), axis=-1)
    return jnp.take_along_axis(drawn, jnp.argmax(density, axis=1)[:, None, None], axis=1)[:, 0]


def _late(predict: Predict) -> Predict:
    """The same network of levels that lie as far apart as steps do."""
    return lambda noisy, level: predict(noisy, 100.0 * level)
