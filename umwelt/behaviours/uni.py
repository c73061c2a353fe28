"""One objective offline and online: clipped improvement on a data set first, and then on rollouts of the same policy."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours import batch as batches
from umwelt.behaviours.batch import Batch
from umwelt.behaviours.gated import Gated, GatedState
from umwelt.behaviours.memories import empty, example
from umwelt.behaviours.on_policy import CLIP, HORIZON, OnPolicy, OnPolicyState
from umwelt.behaviours.proximal import PPO, PpoState
from umwelt.core import LIVED, SHOWN, Experience, Info, Metric, Prediction, TimeStep, WorldSpec, keys, part, struct
from umwelt.core.contracts import Memory, Mode
from umwelt.networks import layers, scale
from umwelt.networks.optimise import optimiser, stepped


@struct
class UniState:
    """online: of the agent that acts. offline: of what studies. memory: what was shown; None in a body for probes. valued:
    Optax's, of the value that is handed on. begun: bool [], its own life has begun."""

    online: OnPolicyState
    offline: GatedState
    memory: Any
    valued: Any
    begun: jax.Array


@part
class Uni:
    """Studies what is shown until its own life begins, and goes on from there by rollouts of its own.

    The policy that is judged best acts; the value that the critics learned is handed on with it.
    """

    offline: Gated
    """Critics, clones and their improvement."""
    memory: Memory
    """Keeps what is shown, such as `Ring()`."""
    online: OnPolicy = OnPolicy(learner=PPO(learning_rate=1e-4))
    """What acts, and learns from what it did; its learner is `PPO`."""
    batch: int = 256
    """Transitions of one lesson of study."""

    cites = ("uni_o4_2024",)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Those of both halves; NaN for the one that does not learn."""
        known = {metric.name: metric for metric in (*self.online.metrics, *self.offline.metrics)}
        return tuple(known.values())

    def init(self, key: jax.Array, spec: WorldSpec) -> UniState:
        """Begin untrained."""
        if not isinstance(self.online.learner, PPO):
            raise ValueError(f"online: the learner of Uni is PPO, and this is {type(self.online.learner).__name__}")
        acting, studying = keys.split(key, "online", "offline")
        online = self.online.init(acting, spec)
        return UniState(
            online=online,
            offline=self.offline.init(studying, online.observation_form.width, spec.action),
            memory=empty(self.memory, example(spec), (self.batch,)),
            valued=self._valuing().init(online.learner.value),
            begun=jnp.zeros((), bool),
        )

    def see(self, key: jax.Array, state: UniState, step: TimeStep) -> tuple[UniState, Info]:
        """Keep the observation to act on."""
        online, info = self.online.see(key, state.online, step)
        return replace(state, online=online), info

    def act(self, key: jax.Array, state: UniState, mode: Mode = "explore") -> tuple[UniState, Any]:
        """Act by the present policy."""
        online, action = self.online.act(key, state.online, mode)
        return replace(state, online=online), action

    def remember(self, key: jax.Array, state: UniState, experience: Experience) -> tuple[UniState, Info]:
        """Keep what is shown, and measure its scale; add what it did itself to the rollout."""
        shown = experience.acted & (experience.origin == SHOWN)
        online, info = self.online.remember(key, state.online, experience)
        rows = jnp.where(shown[:, None], online.observation_form.flat(experience.step.observation), 0.0)
        seen = scale.update(online.seen, rows, shown.astype(jnp.float32), HORIZON)
        some = jnp.any(shown)
        online = replace(online, seen=jax.tree.map(lambda new, old: jnp.where(some, new, old), seen, online.seen))
        memory = jax.lax.cond(some, lambda: self.memory.add(key, state.memory, experience), lambda: state.memory)
        begun = state.begun | jnp.any(experience.valid & (experience.origin == LIVED))
        return replace(state, online=online, memory=memory, begun=begun), info

    def learn(self, key: jax.Array, state: UniState) -> tuple[UniState, Info]:
        """Study until its own life begins; learn from rollouts after that."""

        def onward(state: UniState) -> tuple[UniState, Info]:
            online, info = self.online.learn(key, state.online)
            # a policy that was handed on keeps the scale by which it learned to see
            return replace(state, online=replace(online, seen=state.online.seen)), self._whole(info)

        return jax.lax.cond(state.begun, onward, lambda state: self._studied(key, state), state)

    def embody(self, key: jax.Array, state: UniState, spec: WorldSpec) -> UniState:
        """Put the same policy into spec.batch rows, without memory."""
        return replace(state, online=self.online.embody(key, state.online, spec), memory=None)

    def imagine(self, key: jax.Array, state: UniState, actions: Any) -> Prediction | None:
        """Return None: its model serves judgements alone."""
        return None

    def _studied(self, key: jax.Array, state: UniState) -> tuple[UniState, Info]:
        """One lesson from what was shown, whose policy and value are handed on."""
        sampling, learning = keys.split(key, "sample", "learn")
        online = state.online
        found = self.memory.sample(sampling, state.memory, (self.batch,))
        batch = batches.of(online.observation_form, online.action_form, found)
        # float32 features, standard as those of rollouts
        batch = replace(
            batch, now=scale.standard(online.seen, batch.now, CLIP), after=scale.standard(online.seen, batch.after, CLIP)
        )
        offline, info = self.offline.learn(learning, state.offline, batch)
        learner, valued = self._handed(online.learner, offline, batch, state.valued)
        return replace(state, online=replace(online, learner=learner), offline=offline, valued=valued), self._whole(info)

    def _handed(self, learner: PpoState, offline: GatedState, batch: Batch, valued: Any) -> tuple[PpoState, Any]:
        """The online learner with the chosen policy, and its value a step nearer to that of the critics."""
        worth = self.offline.value(offline, batch.now)
        weight = (batch.weight > 0).astype(jnp.float32)
        known = scale.update(learner.worth, worth[:, None], weight, HORIZON)
        target = (worth - known.mean[0]) / known.deviation[0]

        def miss(value: Any) -> jax.Array:
            return batches.mean((layers.apply(value, batch.now, jnp.tanh)[:, 0] - target) ** 2, weight)

        value, after = stepped(self._valuing(), jax.grad(miss)(learner.value), valued, learner.value)
        made = replace(learner, policy=self.offline.chosen(offline), value=value, worth=known)
        some = jnp.any(weight > 0)
        return jax.tree.map(lambda new, old: jnp.where(some, new, old), (made, after), (learner, valued))

    def _whole(self, info: Info) -> Info:
        nothing = jnp.full((), jnp.nan, jnp.float32)
        skipped = ("surprise", "doubt")
        return {metric.name: info.get(metric.name, nothing) for metric in self.metrics if metric.name not in skipped}

    def _valuing(self) -> Any:
        return optimiser(1e-3)
