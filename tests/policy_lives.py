"""Small lives and a transparent agent, for the tests of policies."""

from dataclasses import replace

import jax
import jax.numpy as jnp

import umwelt
from umwelt.behaviours import DQN, ModelFree, ModelPredictive
from umwelt.core import DOUBT, SURPRISE, Box, WorldSpec, part, struct
from umwelt.life.composition import Life
from umwelt.life.rhythm import Rhythm
from umwelt.memory import Ring
from umwelt.models import Losse
from umwelt.models.linear.encoder import Encoder
from umwelt.planners import ICEM
from umwelt.policy.program import Learned
from umwelt.teachers import Blocks
from umwelt.worlds import Cartpole
from umwelt.worlds.adapters import gymnasium

AGENT = ModelPredictive(
    model=Losse(encoder=Encoder(grids=3, axes=2), warm_up=20), planner=ICEM(samples=12, horizon=3, iterations=1, elites=3)
)


def planned(lives):
    """A life in an environment, which plans in a model that learned at random."""
    life = Life(
        world=gymnasium(id="Pendulum-v1"),
        agent=AGENT,
        teacher=Blocks(),
        rhythm=Rhythm(random=60, chunk=30, learn_every=30, probe_episodes=0),
    )
    return umwelt.live(life, steps=60, name="planned", lives=lives).folder.path


def valued(lives):
    """Two lives at once over choices, without a model."""
    agent = ModelFree(learner=DQN(units=8), memory=Ring(bytes=10_000), batch=4)
    rhythm = Rhythm(random=20, chunk=20, learn_every=20, updates=1, probe_episodes=0)
    life = Life(world=Cartpole(), agent=agent, teacher=Blocks(), rhythm=rhythm, seeds=2)
    return umwelt.live(life, steps=40, name="valued", lives=lives).folder.path


@part
class Plain:
    """A world of which only the spaces are read: three numbers are seen, four are done."""

    batch: int = 1

    @property
    def spec(self):
        return WorldSpec(name="plain", observation=Box(shape=(3,)), action=Box(shape=(4,)), task=Box(), batch=self.batch)


@struct
class ShowingState:
    """shown: float32 [B, 4], the next action. weight: what no decision changes. unread: what none reads."""

    shown: jax.Array
    weight: jax.Array
    unread: jax.Array


@part
class Showing:
    """An agent whose action shows what it saw: (first, reward, rewards of the episode so far, sum of the observation)."""

    metrics = (SURPRISE, DOUBT)

    def init(self, key, spec):
        return ShowingState(shown=jnp.zeros((spec.batch, 4)), weight=jnp.ones(()), unread=jnp.ones(1000))

    def embody(self, key, state, spec):
        return replace(state, shown=jnp.zeros((spec.batch, 4)))

    def see(self, key, state, step):
        total = jnp.where(step.first, 0.0, state.shown[:, 2] + step.reward)
        seen = jnp.sum(step.observation, axis=1)
        shown = state.weight * jnp.stack([step.first.astype(jnp.float32), step.reward, total, seen], axis=1)
        return replace(state, shown=shown), {"doubt": jnp.where(step.first, jnp.nan, total), "surprise": total}

    def act(self, key, state, mode="explore"):
        assert mode == "exploit", "a policy examines"
        return state, state.shown

    def imagine(self, key, state, actions):
        return None


def showing(world=None):
    """What a life of that agent would have learned."""
    world = world or Plain()
    return Learned(agent=Showing(), state=Showing().init(jax.random.key(0), world.spec), world=world)
