"""A code of what is seen that is learned first, by one of several aims, and then frozen for a learner that reads it.

"Inverse dynamics pretraining learns good representations for multitask imitation" (2023): which action led from one
observation to the next depends on what the body can do, and on no clutter. A clone's own features would also hold what
the demonstrator wanted; features that rebuild what is seen hold all of the clutter.
"""

from dataclasses import replace
from typing import Any, Literal

import jax
import jax.numpy as jnp

from umwelt.behaviours.around import AroundLearner
from umwelt.behaviours.batch import Batch, Learner, mean, wiped
from umwelt.core import Info, Metric, keys, part, static, struct
from umwelt.core.contracts import Mode
from umwelt.networks import contrast, layers, policies
from umwelt.networks.layers import Stack
from umwelt.networks.optimise import optimiser, stepped

CODE_LOSS = Metric(name="code_loss", unit="", meaning="loss of the aim that makes the code, before the update", better="down")
Aim = Literal["inverse", "clone", "forward", "contrast", "rebuild", "none"]


@struct
class PretrainedState:
    """inner: the learner's state. code: [F] -> [W]. head: what the aim reads of codes. optimiser: Optax's. lessons: int32 []."""

    inner: Any
    code: Stack
    head: Stack
    optimiser: Any
    lessons: jax.Array
    acts: policies.Policy = static()


@part
class Pretrained(AroundLearner):
    """A learner that reads codes; the first lessons make the code, and all others teach the learner.

    The aims: "inverse" says the action between two moments; "clone" the action at a moment; "forward" what follows a
    moment and an action; "contrast" which later moment belongs to a moment; "rebuild" the moment itself. "none" makes no
    code: the learner sees what there is, and waits as long.
    """

    learner: Learner
    """What learns from codes, such as `Cloning()` or `Nearest()`."""
    aim: Aim = "inverse"
    """What the code is learned by."""
    width: int = 8
    """Numbers of a code."""
    lessons: int = 2000
    """Lessons that make the code."""
    units: int = 64
    """Width of the hidden layer of code and head."""
    learning_rate: float = 1e-3
    """Step size of Adam for the code."""

    passes = ("imitate", "worth", "outputs")
    """Capabilities of the learner inside that hold here too."""
    cites = ("inverse_pretraining_2023",)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What the learner reports, and the code."""
        return (*self.learner.metrics, CODE_LOSS)

    def project(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Turn the arguments of a capability into those of the learner inside."""
        state = arguments["state"]
        found = {**arguments, "state": state.inner}
        if "features" in found:
            found["features"] = self.coded(state, found["features"])
        if "batch" in found:
            found["batch"] = self._read(state, found["batch"])
        return found

    def init(self, key: jax.Array, width: int, action: Any) -> PretrainedState:
        """Begin untrained."""
        for_inner, for_code, for_head = keys.split(key, "inner", "code", "head")
        acts = policies.over(action)
        seen = {"inverse": 2 * self.width, "forward": self.width + acts.inputs}.get(self.aim, self.width)
        told = {"inverse": acts.inputs, "clone": acts.inputs, "contrast": self.width}.get(self.aim, width)
        code = layers.stack(for_code, (width, self.units, self.width), normed=False)
        head = layers.stack(for_head, (seen, self.units, told), normed=False)
        return PretrainedState(
            inner=self.learner.init(for_inner, width if self.aim == "none" else self.width, action),
            code=code,
            head=head,
            optimiser=optimiser(self.learning_rate).init((code, head)),
            lessons=jnp.int32(0),
            acts=acts,
        )

    def act(self, key: jax.Array, state: PretrainedState, features: jax.Array, mode: Mode, open: Any = None) -> Any:
        """Act as the learner does on the code of what is seen."""
        return self.learner.act(key, state.inner, self.coded(state, features), mode, open)

    def learn(self, key: jax.Array, state: PretrainedState, batch: Batch) -> tuple[PretrainedState, Info]:
        """Update the code in the first lessons, and the learner in all others."""
        batch = wiped(batch)
        unit = state.acts.features(state.acts.unit(batch.action))

        def miss(both: tuple[Stack, Stack]) -> jax.Array:
            code, head = both
            now, after = _apply(code, batch.now), _apply(code, batch.after)
            if self.aim == "contrast":
                return contrast.contrast(contrast.similarities(_apply(head, now), after), batch.weight)
            seen = {"inverse": [now, after], "forward": [now, unit]}.get(self.aim, [now])
            told = {"inverse": unit, "clone": unit, "forward": batch.after}.get(self.aim, batch.now)
            return mean(jnp.mean((_apply(head, jnp.concatenate(seen, axis=-1)) - told) ** 2, axis=-1), batch.weight)

        early = (state.lessons < self.lessons) & jnp.any(batch.weight > 0)
        loss, gradient = jax.value_and_grad(miss)((state.code, state.head))
        (code, head), optimised = stepped(optimiser(self.learning_rate), gradient, state.optimiser, (state.code, state.head))
        made = replace(state, code=code, head=head, optimiser=optimised, lessons=state.lessons + 1)
        inner, info = self.learner.learn(key, state.inner, self._read(state, batch))
        taught = replace(state, inner=inner)
        if self.aim == "none":
            made = replace(state, lessons=state.lessons + 1)
        after = jax.tree.map(lambda one, other: jnp.where(early, one, other), made, taught)
        return after, {**info, "code_loss": loss}

    def coded(self, state: PretrainedState, features: jax.Array) -> jax.Array:
        """The code [N, W] of features [N, F]; the features themselves where there is none."""
        return features if self.aim == "none" else _apply(state.code, features)

    def _read(self, state: PretrainedState, batch: Batch) -> Batch:
        return replace(batch, now=self.coded(state, batch.now), after=self.coded(state, batch.after))


def _apply(stack: Stack, inputs: jax.Array) -> jax.Array:
    return layers.apply(stack, inputs, jax.nn.relu)
