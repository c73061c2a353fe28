"""An agent that is a population: each row of the world is one individual for one episode.

When every row has ended its episode, the search receives the results and names the next generation. Probes examine the best
individual of all. A row whose episode is over before the others' goes on as it was, and what it does then is not counted.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp

from umwelt.behaviours.genomes import Genomes, Reacting
from umwelt.behaviours.masks import admissible, drawn
from umwelt.behaviours.searching import Search
from umwelt.core import (
    LIVED,
    Discrete,
    Experience,
    Info,
    Metric,
    Prediction,
    TimeStep,
    WorldSpec,
    keys,
    part,
    spaces,
    static,
    struct,
)
from umwelt.core.contracts import Mode
from umwelt.networks import policies
from umwelt.networks.form import Form, form, vectors
from umwelt.networks.policies import Policy, masked

WAITS, RUNS, DONE = 0, 1, 2
"""What a row does: it waits for its next episode, lives it, or has ended it."""
BEST = Metric(name="best_return", unit="return", meaning="the highest return of the last generation", better="up")
MEAN = Metric(name="mean_return", unit="return", meaning="the mean return of the last generation", better="up")
GENERATIONS = Metric(name="generations", unit="generations", meaning="generations that have ended")


@part
class Looks:
    """Traits are observations at some moments of an episode; the last look is its end."""

    number: int = 1
    """How many moments."""
    every: int = 1
    """Decisions from one to the next."""
    entries: tuple[int, ...] = ()
    """Which numbers of an observation; none for all."""


@part
class Answers:
    """Traits are the actions of a policy at remembered observations."""

    number: int = 20
    """How many observations are remembered, drawn from the last generation."""


@struct
class EvolvedState:
    """learner: the state of the search. genomes: float32 [B, D]. returns: float32 [B], so far. looks: float32 [B, L, F].
    remembered: float32 [M, F]. phase: int32 [B], one of WAITS, RUNS, DONE. age: int32 [B]. generations: int32 []. earned:
    float32 [2], the best and the mean return of the last generation. observation: [B, ...]."""

    learner: Any
    genomes: jax.Array
    returns: jax.Array
    looks: jax.Array
    remembered: jax.Array
    phase: jax.Array
    age: jax.Array
    generations: jax.Array
    earned: jax.Array
    observation: Any
    observation_form: Form = static()
    action_form: Form = static()
    units: Policy = static()


@part
class Evolved:
    """Acts by one genome in each row, and lets a search breed the next."""

    search: Search
    """Names genomes, and receives their returns and traits, such as `umwelt.curiosity.Serene()`."""
    policy: Genomes = Reacting()
    """What a genome means."""
    traits: Looks | Answers = Looks()
    """What the search receives of an episode beside its return."""

    metrics = (BEST, MEAN, GENERATIONS)

    def init(self, key: jax.Array, spec: WorldSpec) -> EvolvedState:
        """Ask for a first generation."""
        seen = vectors(spec.observation, self)
        policy = policies.over(spec.action)
        looks = jnp.zeros((spec.batch, self._looks, len(self._entries(seen.width))), jnp.float32)
        remembered = jnp.zeros((self.traits.number if isinstance(self.traits, Answers) else 0, seen.width), jnp.float32)
        beginning, asking = keys.split(key, "begin", "ask")
        search = self.search.init(beginning, self.policy.size(seen.width, policy), self._traits(looks, policy))
        search, genomes = self.search.ask(asking, search, spec.batch)
        zeros = jnp.zeros(spec.batch, jnp.int32)
        return EvolvedState(
            learner=search,
            genomes=genomes,
            returns=jnp.zeros(spec.batch, jnp.float32),
            looks=looks,
            remembered=remembered,
            phase=zeros,
            age=zeros,
            generations=jnp.int32(0),
            earned=jnp.zeros(2, jnp.float32),
            observation=spaces.zeros(spec.observation, spec.batch),
            observation_form=seen,
            action_form=form(spec.action),
            units=policy,
        )

    def see(self, key: jax.Array, state: EvolvedState, step: TimeStep) -> tuple[EvolvedState, Info]:
        """Keep the observation; rows that wait begin where an episode does."""
        phase = jnp.where(step.first & (state.phase == WAITS), RUNS, state.phase)
        nothing = jnp.full(step.kind.shape, jnp.nan, jnp.float32)
        return replace(state, observation=step.observation, phase=phase), {"surprise": nothing, "doubt": nothing}

    def act(self, key: jax.Array, state: EvolvedState, mode: Mode = "explore") -> tuple[EvolvedState, Any]:
        """Let each row act by its genome; in a probe all have the best one."""
        open = admissible(state.observation_form, state.action_form, state.observation)
        if mode == "random":
            return state, drawn(key, state.action_form, state.genomes.shape[0], open)
        best = jnp.broadcast_to(self.search.best(state.learner), state.genomes.shape)
        genomes = best if mode == "exploit" else state.genomes
        features = state.observation_form.flat(state.observation)
        unit = self._units(state, genomes, features, open)
        return state, state.units.action(unit)

    def remember(self, key: jax.Array, state: EvolvedState, experience: Experience) -> tuple[EvolvedState, Info]:
        """Add up the returns of the rows that run, and look."""
        counts = (state.phase == RUNS) & experience.valid & (experience.origin == LIVED)
        age = state.age + counts
        features = state.observation_form.flat(experience.next.observation)
        entries = features[:, jnp.asarray(self._entries(features.shape[1]))]
        number = self._looks
        moments = (jnp.arange(number) + 1) * (self.traits.every if isinstance(self.traits, Looks) else 1)
        # what is not reached yet shows the present: so a look after the end shows the end
        ahead = (moments >= age[:, None]) | (jnp.arange(number) == number - 1)
        looks = jnp.where((counts[:, None] & ahead)[..., None], entries[:, None], state.looks)
        ended = (state.phase == RUNS) & experience.next.last & (experience.origin == LIVED)
        state = replace(
            state,
            returns=state.returns + jnp.where(counts, experience.next.reward, 0.0),
            looks=looks,
            age=age,
            phase=jnp.where(ended, DONE, state.phase),
        )
        if state.remembered.shape[0]:
            which = jax.random.randint(key, (), 0, state.remembered.shape[0])
            row = jax.random.randint(jax.random.fold_in(key, 1), (), 0, features.shape[0])
            kept = jnp.where(counts[row], features[row], state.remembered[which])
            state = replace(state, remembered=state.remembered.at[which].set(kept))
        return state, {}

    def learn(self, key: jax.Array, state: EvolvedState) -> tuple[EvolvedState, Info]:
        """Hand a generation to the search, once every row has ended, and ask for the next one."""
        after = jax.lax.cond(jnp.all(state.phase == DONE), lambda: self._bred(key, state), lambda: state)
        best, mean = after.earned
        return after, {"best_return": best, "mean_return": mean, "generations": after.generations.astype(jnp.float32)}

    def embody(self, key: jax.Array, state: EvolvedState, spec: WorldSpec) -> EvolvedState:
        """Put the best individual into every row."""
        genomes = jnp.broadcast_to(self.search.best(state.learner), (spec.batch, state.genomes.shape[1]))
        zeros = jnp.zeros(spec.batch, jnp.int32)
        return replace(
            state,
            genomes=genomes,
            returns=jnp.zeros(spec.batch, jnp.float32),
            looks=jnp.zeros((spec.batch, *state.looks.shape[1:]), jnp.float32),
            phase=zeros,
            age=zeros,
            observation=spaces.zeros(spec.observation, spec.batch),
        )

    def imagine(self, key: jax.Array, state: EvolvedState, actions: Any) -> Prediction | None:
        """Return None: it has no model."""
        return None

    def _bred(self, key: jax.Array, state: EvolvedState) -> EvolvedState:
        telling, asking = keys.split(key, "tell", "ask")
        traits = self._told(state)
        search = self.search.tell(telling, state.learner, state.genomes, state.returns, traits)
        search, genomes = self.search.ask(asking, search, state.genomes.shape[0])
        return replace(
            state,
            learner=search,
            genomes=genomes,
            returns=jnp.zeros_like(state.returns),
            looks=jnp.zeros_like(state.looks),
            age=jnp.zeros_like(state.age),
            phase=jnp.full_like(state.phase, WAITS),
            generations=state.generations + 1,
            earned=jnp.stack([jnp.max(state.returns), jnp.mean(state.returns)]),
        )

    def _told(self, state: EvolvedState) -> jax.Array:
        """The traits float32 [B, Z] of a generation."""
        if isinstance(self.traits, Looks):
            return state.looks.reshape(state.looks.shape[0], -1)

        def at(features: jax.Array) -> jax.Array:
            wide = jnp.broadcast_to(features, (state.genomes.shape[0], features.shape[0]))
            return state.units.features(self._units(state, state.genomes, wide, None))

        found = jax.vmap(at)(state.remembered)
        return jnp.moveaxis(found, 0, 1).reshape(state.genomes.shape[0], -1)

    def _units(self, state: EvolvedState, genomes: jax.Array, features: jax.Array, open: jax.Array | None) -> jax.Array:
        outputs = self.policy.outputs(genomes, features, state.units)
        if isinstance(state.action_form.space, Discrete):
            return state.units.best(masked(outputs, open))
        return jnp.clip(outputs, -1.0, 1.0)

    def _entries(self, width: int) -> tuple[int, ...]:
        chosen = self.traits.entries if isinstance(self.traits, Looks) else ()
        if any(each < -width or each >= width for each in chosen):
            raise ValueError(f"entries={chosen} of Looks: an observation has {width} numbers")
        return tuple(each % width for each in chosen) or tuple(range(width))

    @property
    def _looks(self) -> int:
        return self.traits.number if isinstance(self.traits, Looks) else 1

    def _traits(self, looks: jax.Array, policy: Policy) -> int:
        return looks.shape[1] * looks.shape[2] if isinstance(self.traits, Looks) else self.traits.number * policy.inputs
