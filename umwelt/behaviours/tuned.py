"""A prior of behaviour, cloned from what was watched, that rollouts of its own make better at one thing.

"Video pretraining (VPT): learning to act by watching unlabeled online videos" (2022) fine-tunes a clone by reinforcement. A
divergence from that prior holds it near to what it was, in place of a bonus for entropy.

Where we differ: proximal policy optimisation stands for its phasic kind.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.imitating import Cloning
from umwelt.behaviours.labelled import Labelled, LabelledState
from umwelt.behaviours.on_policy import OnPolicy, OnPolicyState
from umwelt.behaviours.proximal import PPO
from umwelt.behaviours.standardised import Averaged, Standard
from umwelt.core import LIVED, Experience, Info, Metric, Prediction, TimeStep, WorldSpec, keys, part, struct
from umwelt.core.contracts import Mode


@struct
class TunedState:
    """pupil: of what clones. online: of what acts. begun: bool [], its own life has begun."""

    pupil: LabelledState
    online: OnPolicyState
    begun: jax.Array


@part
class Tuned:
    """Clones what is shown until its own life begins, and goes on from the clone by rollouts of its own.

    Both networks must have the same widths: those of `Cloning(units=64)` and `PPO(units=64)`.
    """

    pupil: Labelled = Labelled(mix="none", window=4)
    """Clones; its learner is `Standard(Averaged(Cloning()))`, whose average is the prior."""
    online: OnPolicy = OnPolicy(learner=PPO(prior_weight=0.2))
    """What acts, and learns from what it did; its learner is `PPO`."""

    cites = ("vpt_2022",)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Those of both halves; NaN for the one that does not learn."""
        known = {metric.name: metric for metric in (*self.online.metrics, *self.pupil.metrics)}
        return tuple(known.values())

    def init(self, key: jax.Array, spec: WorldSpec) -> TunedState:
        """Begin untrained."""
        standard = self.pupil.learner
        clone = standard.learner.learner if isinstance(standard, Standard) and isinstance(standard.learner, Averaged) else None
        learner = self.online.learner
        if (
            not isinstance(clone, Cloning)
            or not isinstance(learner, PPO)
            or clone.units != learner.units
            or clone.head != "normal"
            or learner.bounded
        ):
            raise ValueError(
                "pupil, online: Tuned hands Standard(Averaged(Cloning())) with head='normal' on to PPO() of the same units;"
                f" got {standard} and {learner}"
            )
        cloning, acting = keys.split(key, "pupil", "online")
        pupil, online = self.pupil.init(cloning, spec), self.online.init(acting, spec)
        return TunedState(pupil=pupil, online=online, begun=jnp.zeros((), bool))

    def see(self, key: jax.Array, state: TunedState, step: TimeStep) -> tuple[TunedState, Info]:
        """Keep the observation to act on."""
        online, info = self.online.see(key, state.online, step)
        return replace(state, online=online), info

    def act(self, key: jax.Array, state: TunedState, mode: Mode = "explore") -> tuple[TunedState, Any]:
        """Act by the present policy."""
        online, action = self.online.act(key, state.online, mode)
        return replace(state, online=online), action

    def remember(self, key: jax.Array, state: TunedState, experience: Experience) -> tuple[TunedState, Info]:
        """Keep what is shown for the pupil, and add what it did itself to the rollout."""
        others = jnp.any(experience.valid & (experience.origin != LIVED))
        pupil = jax.lax.cond(others, lambda: self.pupil.remember(key, state.pupil, experience)[0], lambda: state.pupil)
        online, info = self.online.remember(key, state.online, experience)
        begun = state.begun | jnp.any(experience.valid & (experience.origin == LIVED))
        return TunedState(pupil=pupil, online=online, begun=begun), info

    def learn(self, key: jax.Array, state: TunedState) -> tuple[TunedState, Info]:
        """Clone until its own life begins; learn from rollouts after that."""

        def onward(state: TunedState) -> tuple[TunedState, Info]:
            online, info = self.online.learn(key, state.online)
            # a policy that was handed on keeps the scale by which it learned to see
            return replace(state, online=replace(online, seen=state.online.seen)), self._whole(info)

        def cloned(state: TunedState) -> tuple[TunedState, Info]:
            pupil, info = self.pupil.learn(key, state.pupil)
            standard, online = pupil.learner, state.online
            learner = replace(online.learner, policy=standard.inner.mean)
            return replace(state, pupil=pupil, online=replace(online, learner=learner, seen=standard.seen)), self._whole(info)

        return jax.lax.cond(state.begun, onward, cloned, state)

    def embody(self, key: jax.Array, state: TunedState, spec: WorldSpec) -> TunedState:
        """Put the same policy into spec.batch rows, without what was kept."""
        return replace(state, pupil=self.pupil.embody(key, state.pupil, spec), online=self.online.embody(key, state.online, spec))

    def imagine(self, key: jax.Array, state: TunedState, actions: Any) -> Prediction | None:
        """Return None: it has no model."""
        return None

    def _whole(self, info: Info) -> Info:
        nothing = jnp.full((), jnp.nan, jnp.float32)
        skipped = ("surprise", "doubt")
        return {metric.name: info.get(metric.name, nothing) for metric in self.metrics if metric.name not in skipped}
