"""Improve clones of a data set step by step, each step accepted where an evaluation offline says that it got better.

"Uni-O4: unifying online and offline deep reinforcement learning with multi-step on-policy optimization" (2024). Critics
learn the data first, and an ensemble of clones does, whose members are pushed apart. Then each member improves by clipped
ratios to its behaviour policy, on the states of the data. Now and then it is rolled in a learned model; where its mean
value there is the best so far, it becomes its own behaviour policy.
"""

from dataclasses import replace
from typing import Any, Literal

import jax
import jax.numpy as jnp

from umwelt.behaviours import featured
from umwelt.behaviours.batch import IMITATION, Batch, mean, wiped
from umwelt.behaviours.implicit_q import IQL
from umwelt.core import Info, Metric, keys, part, select, static, struct
from umwelt.core.contracts import Model
from umwelt.networks import actors, layers, policies
from umwelt.networks.actors import Actor
from umwelt.networks.optimise import optimiser, stepped, where_any

JUDGED = Metric(name="judged_value", unit="reward", meaning="the best member's value by the evaluation offline", better="up")
ACCEPTED = Metric(name="accepted", unit="share", meaning="members whose last step was accepted")


@struct
class GatedState:
    """critic: its state. policy: actors [M] that improve. behaviour: actors [M] that improvement is measured from. judged:
    float32 [M], the value of the behaviour policy; of the policy itself where nothing is judged. model: the model's.
    optimiser: Optax's, of all members. accepted: float32 []. lessons: int32 []."""

    critic: Any
    policy: Actor
    behaviour: Actor
    judged: jax.Array
    model: Any
    optimiser: Any
    accepted: jax.Array
    lessons: jax.Array
    acts: actors.Acts = static()


@part
class Gated:
    """Critics, a model and clones that study a data set, and then the improvement of the clones."""

    model: Model
    """Predicts standard features, for the evaluation; such as `Ensemble(propagation="one")`."""
    critic: IQL = IQL()
    """Critics and values; its own policy is not used."""
    units: int = 64
    """Width of the two hidden layers of each clone."""
    members: int = 4
    """Clones."""
    apart: float = 0.1
    """Weight of what pushes the members apart."""
    learning_rate: float = 3e-4
    """Step size of Adam."""
    cut: float = 0.25
    """How far a ratio may move at first; it falls to 0 in equal steps."""
    better: float = 0.7
    """Weight of advantages above 0; those below weigh the rest of 1."""
    study: int = 4000
    """Lessons of critics, model and clones."""
    improving: int = 1000
    """Lessons of improvement; nothing changes after them."""
    every: int = 50
    """Lessons from one judgement to the next."""
    rolls: int = 128
    """Dreams of one judgement."""
    horizon: int = 20
    """Their steps."""
    gate: Literal["judged", "always", "never"] = "judged"
    """Accept a policy where it is judged better than all before it; or always; or never, which is a single step."""

    metrics = (*IQL.metrics, JUDGED, ACCEPTED)
    cites = ("uni_o4_2024", "iql_2022")

    def init(self, key: jax.Array, width: int, action: Any) -> GatedState:
        """Begin untrained."""
        if self.rolls < 1:
            raise ValueError(f"rolls={self.rolls}: a judgement needs one dream at least")
        cloning, valuing, modelling = keys.split(key, "clones", "critic", "model")
        acts = policies.over(action)
        clones = jax.vmap(lambda key: actors.actor(key, width, acts, self.units))(jax.random.split(cloning, self.members))
        return GatedState(
            critic=self.critic.init(valuing, width, action),
            policy=clones,
            behaviour=clones,
            judged=jnp.full(self.members, -jnp.inf, jnp.float32),
            model=self.model.init(modelling, featured.spec(width, action)),
            optimiser=self._optimiser().init(clones),
            accepted=jnp.zeros((), jnp.float32),
            lessons=jnp.int32(0),
            acts=acts,
        )

    def chosen(self, state: GatedState) -> Actor:
        """The member that is judged best; its first while none is."""
        held = state.behaviour if self.gate == "judged" else state.policy
        held = jax.tree.map(lambda one, other: jnp.where(state.lessons > self.study, one, other), held, state.policy)
        return jax.tree.map(lambda leaf: leaf[jnp.argmax(state.judged)], held)

    def value(self, state: GatedState, features: jax.Array) -> jax.Array:
        """What features [N, F] are worth: float32 [N]."""
        return layers.apply(state.critic.value, features, jax.nn.relu)[:, 0]

    def learn(self, key: jax.Array, state: GatedState, batch: Batch) -> tuple[GatedState, Info]:
        """One lesson from standard features: of study, or of improvement."""
        batch = wiped(batch)
        after, info = jax.lax.cond(state.lessons < self.study, self.studied, self.improved, key, state, batch)
        after = replace(after, lessons=state.lessons + 1)
        over = state.lessons >= self.study + self.improving
        after = jax.tree.map(lambda new, old: jnp.where(over, old, new), after, state)
        best = jnp.max(after.judged)
        info = {**info, "judged_value": jnp.where(jnp.isfinite(best), best, jnp.nan), "accepted": after.accepted}
        return where_any(batch.weight, after, state), info

    def studied(self, key: jax.Array, state: GatedState, batch: Batch) -> tuple[GatedState, Info]:
        """Update critics, model and clones."""
        criticising, modelling = keys.split(key, "critic", "model")
        critic, info = self.critic.learn(criticising, state.critic, batch)
        seen = featured.moments(batch.now, batch.action, batch.reward, batch.after, batch.continues < 0.5, batch.weight)
        model, _ = self.model.learn(modelling, state.model, seen)
        unit = state.acts.unit(batch.action)
        gradient, missed = jax.grad(lambda clones: self.unlike(state.acts, clones, batch, unit), has_aux=True)(state.policy)
        clones, optimised = stepped(self._optimiser(), gradient, state.optimiser, state.policy)
        after = replace(state, critic=critic, model=model, policy=clones, behaviour=clones, optimiser=optimised)
        return after, {**info, "imitation_loss": missed}

    def unlike(self, acts: actors.Acts, clones: Actor, batch: Batch, unit: jax.Array) -> tuple[jax.Array, jax.Array]:
        """How unlikely members find actions, less how far each is from the likeliest member; and the first part alone."""
        likely = jax.vmap(lambda clone: actors.log_prob(clone, acts, batch.now, unit, batch.open))(clones)
        top = jax.lax.stop_gradient(jnp.max(likely, axis=0))
        behind = jnp.where(likely < top, likely - top, 0.0)
        missed = -jax.vmap(mean, (0, None))(likely, batch.weight)
        return jnp.sum(missed - self.apart * jax.vmap(mean, (0, None))(behind, batch.weight)), jnp.mean(missed)

    def improved(self, key: jax.Array, state: GatedState, batch: Batch) -> tuple[GatedState, Info]:
        """Move each member once from its behaviour policy, and judge them all now and then."""
        drawing, judging, firstly = keys.split(key, "draw", "judge", "first")
        turn = state.lessons - self.study
        judged = jax.lax.cond(
            turn == 0, lambda: self.judge(firstly, state, state.policy, batch), lambda: jnp.asarray(state.judged)
        )
        cut = self.cut * jnp.maximum(1.0 - turn / self.improving, 0.0)
        worth = self.value(state, batch.now)

        def miss(policy: Actor, behaviour: Actor, key: jax.Array) -> jax.Array:
            unit = jax.lax.stop_gradient(actors.draw(key, behaviour, state.acts, batch.now, batch.open))
            advantage = self.critic.worth(state.critic, batch.now, actors.action(state.acts, unit)) - worth
            advantage = advantage - mean(advantage, batch.weight)
            advantage = advantage / (jnp.sqrt(mean(advantage**2, batch.weight)) + 1e-8)
            weight = jnp.where(advantage > 0, self.better, 1.0 - self.better)
            held = actors.log_prob(behaviour, state.acts, batch.now, unit, batch.open)
            ratio = jnp.exp(actors.log_prob(policy, state.acts, batch.now, unit, batch.open) - held)
            # the gradient of the clipped objective, none at the very bound
            inside = jnp.where(advantage > 0, ratio < 1.0 + cut, ratio > 1.0 - cut)
            return -mean(weight * advantage * jnp.where(inside, ratio, 1.0), batch.weight)

        each = jax.random.split(drawing, self.members)
        gradient = jax.vmap(jax.grad(miss))(state.policy, jax.lax.stop_gradient(state.behaviour), each)
        policy, optimised = stepped(self._optimiser(), gradient, state.optimiser, state.policy)
        moved = cut > 0.0
        policy, optimised = jax.tree.map(
            lambda new, old: jnp.where(moved, new, old), (policy, optimised), (state.policy, state.optimiser)
        )
        held = replace(state, policy=policy, optimiser=optimised, judged=judged)
        after = jax.lax.cond((turn + 1) % self.every == 0, self._gated, lambda *_: held, judging, held, batch)
        nothing = jnp.full((), jnp.nan, jnp.float32)
        return after, {metric.name: nothing for metric in (*IQL.metrics, IMITATION)}

    def judge(self, key: jax.Array, state: GatedState, clones: Actor, batch: Batch) -> jax.Array:
        """The mean value of each member's actions where it goes in the model, from states of the data: float32 [M]."""
        rows = jnp.arange(self.rolls) % batch.now.shape[0]
        start, action = batch.now[rows], jax.tree.map(lambda leaf: leaf[rows], batch.action)
        opening, rolling = keys.split(key, "open", "roll")
        belief = featured.opened(opening, self.model, state.model, start, action)

        def rolled(clone: Actor) -> jax.Array:
            def onward(held: Any, key: jax.Array) -> tuple[Any, jax.Array]:
                belief, features, alive = held
                acting, imagining = keys.split(key, "act", "imagine")
                done = actors.action(state.acts, actors.draw(acting, clone, state.acts, features))
                worth = self.critic.worth(state.critic, features, done)
                belief, told = self.model.imagine(imagining, state.model, belief, done)
                return (belief, told.observation, alive * told.continues), alive * worth

            # all members meet the same noise
            _, worth = jax.lax.scan(onward, (belief, start, batch.weight[rows]), jax.random.split(rolling, self.horizon))
            return jnp.mean(worth)

        return jax.vmap(rolled)(clones)

    def _gated(self, key: jax.Array, state: GatedState, batch: Batch) -> GatedState:
        found = self.judge(key, state, state.policy, batch)
        if self.gate == "never":
            return replace(state, judged=found)
        accepted = found > state.judged if self.gate == "judged" else jnp.ones(self.members, bool)
        behaviour = select(accepted, state.policy, state.behaviour)
        judged = jnp.where(accepted, found, state.judged)
        return replace(state, behaviour=behaviour, judged=judged, accepted=jnp.mean(accepted.astype(jnp.float32)))

    def _optimiser(self) -> Any:
        return optimiser(self.learning_rate)
