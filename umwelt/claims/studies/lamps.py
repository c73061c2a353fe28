"""A cart with two eyes that looks for a lamp in two rooms: which bodies make it easy for one policy to serve both."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.behaviours import PPO, OnPolicy, Strategies
from umwelt.claims.arms import Measure
from umwelt.claims.studies.ordered import spearman
from umwelt.core import Box, TimeStep, WorldSpec, keys, lived, part, struct
from umwelt.networks.inside import with_batch
from umwelt.worlds import stream

ROOMS = np.array([[-1.0, 1.0], [1.0, 1.0]], np.float32)
"""Where the lamp of each room stands; the cart begins at 0 and looks along the second axis."""
NEAR = 0.4
"""A cart that ends nearer than this to the lamp has found it."""
EYES, WEIGHTS = 4, 6
"""Numbers of a body, the places of its two eyes; and of a policy."""
DEVIATION = 2.0
"""Of the weights of a random policy."""

CLIMBING = Measure(name="climbing", unit="rank correlation", better="up")
"""Over bodies: of the share of good random policies with the pace of a hill climber."""
STRATEGY = Measure(name="strategy", unit="rank correlation", better="up")
"""The same of an evolution strategy."""
GRADIENT = Measure(name="gradient", unit="rank correlation", better="up")
"""The same of proximal policy optimisation."""
NEEDED = Measure(name="needed", unit="episodes", better="down")
"""Episodes of a hill climber until its policy finds the lamp in both rooms: the median."""


@struct
class LampTask:
    """lamp: float32 [2]. eyes: float32 [2, 2], places on the cart, to the right and ahead."""

    lamp: Any
    eyes: Any


@struct
class Cart:
    """place: float32 [2]. heading: float32 [], from the second axis to the left."""

    place: jax.Array
    heading: jax.Array


@part
class Lamps:
    """Drive two wheels to a lamp by the light that falls on two eyes."""

    batch: int = 1
    time_limit: int = 40

    @property
    def spec(self) -> WorldSpec:
        """Spaces, batch and name."""
        return WorldSpec(
            name="lamps",
            observation=Box(shape=(2,), low=0.0, high=1.0),
            action=Box(shape=(2,), low=-1.0, high=1.0),
            task=LampTask(lamp=Box(shape=(2,), low=-1.0, high=1.0), eyes=Box(shape=(2, 2), low=-0.5, high=0.5)),
            batch=self.batch,
        )

    def tasks(self) -> dict[str, LampTask]:
        """A lamp on the left and one on the right, for a cart with an eye on each side."""
        eyes = np.array([[-0.3, 0.3], [0.3, 0.3]], np.float32)
        return {name: LampTask(lamp=lamp, eyes=eyes) for name, lamp in zip(("left", "right"), ROOMS, strict=True)}

    def begin(self, key: jax.Array, task: LampTask) -> Cart:
        """At 0."""
        return Cart(place=jnp.zeros(2, jnp.float32), heading=jnp.float32(0.0))

    def advance(self, key: jax.Array, body: Cart, action: jax.Array, task: LampTask) -> tuple[Cart, jax.Array, jax.Array]:
        """Roll; what the cart comes nearer is paid."""
        cart = rolled(body, action)
        paid = distance(body, task.lamp) - distance(cart, task.lamp)
        return cart, paid, jnp.bool_(False)

    def observe(self, body: Cart, task: LampTask) -> jax.Array:
        """float32 [2]: the light on each eye."""
        return light(body, task.lamp, task.eyes)

    def init(self, key: jax.Array, task: LampTask) -> tuple[stream.StreamState, TimeStep]:
        """Begin an episode in every row."""
        return stream.init(self, key, task)

    def step(
        self, key: jax.Array, state: stream.StreamState, action: jax.Array, next_task: LampTask
    ) -> tuple[stream.StreamState, TimeStep]:
        """Take one decision in every row."""
        return stream.step(self, key, state, action, next_task)


def rolled(cart: Cart, wheels: jax.Array) -> Cart:
    """Turn by the difference of the wheels [2], left and right, and go ahead by their mean."""
    left, right = jnp.clip(wheels, -1.0, 1.0)
    heading = cart.heading + 0.2 * (right - left)
    ahead = jnp.stack([-jnp.sin(heading), jnp.cos(heading)])
    return Cart(place=cart.place + 0.05 * (left + right) * ahead, heading=heading)


def distance(cart: Cart, lamp: jax.Array) -> jax.Array:
    """How far the cart is from the lamp."""
    return jnp.sqrt(jnp.sum((cart.place - lamp) ** 2) + 1e-12)


def light(cart: Cart, lamp: jax.Array, eyes: jax.Array) -> jax.Array:
    """The light on each eye, float32 [2], 1 at the lamp."""
    sin, cos = jnp.sin(cart.heading), jnp.cos(cart.heading)
    places = cart.place + jnp.stack([cos * eyes[:, 0] - sin * eyes[:, 1], sin * eyes[:, 0] + cos * eyes[:, 1]], axis=1)
    return 1.0 / (1.0 + jnp.sum((places - lamp) ** 2, axis=1))


def farther(weights: jax.Array, body: jax.Array, ticks: int = Lamps.time_limit) -> jax.Array:
    """Where a policy [6] ends in both rooms with a body [4]: the greater of the two distances."""
    matrix, offset, eyes = weights[:4].reshape(2, 2), weights[4:], body.reshape(2, 2)

    def room(lamp: jax.Array) -> jax.Array:
        def tick(cart: Cart, _: None) -> tuple[Cart, None]:
            return rolled(cart, jnp.tanh(matrix @ light(cart, lamp, eyes) + offset)), None

        begun = Cart(place=jnp.zeros(2, jnp.float32), heading=jnp.float32(0.0))
        return distance(jax.lax.scan(tick, begun, length=ticks)[0], lamp)

    return jnp.max(jax.vmap(room)(jnp.asarray(ROOMS)))


@part
class Bodies:
    """How well the share of good random policies predicts the pace of three searches; a function of a key."""

    bodies: int = 30
    policies: int = 2000
    """Random policies of each body."""
    repeats: int = 4
    """Searches of each kind and body, whose episodes are averaged."""
    trials: int = 400
    """Policies that a search tries at most, each in both rooms."""
    rollouts: int = 100
    """Of the on-policy learner, at most."""

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Draw bodies and search: {measure: float32 []}."""
        drawing, guessing, searching = keys.split(key, "bodies", "policies", "search")
        bodies = bodies_of(drawing, self.bodies)
        guesses = DEVIATION * jax.random.normal(guessing, (self.policies, WEIGHTS))
        good = jax.vmap(lambda body: jnp.mean(jax.vmap(lambda each: farther(each, body))(guesses) < NEAR))(bodies)

        def pace(search: Any) -> jax.Array:
            """Over bodies: 1 / the mean of the episodes that a search of (key, body) takes."""
            each = jax.vmap(jax.vmap(search, in_axes=(0, None)), in_axes=(None, 0))
            return 1.0 / jnp.mean(each(jax.random.split(searching, self.repeats), bodies), axis=1)

        found = {
            "climbing": pace(lambda key, body: climbed(key, body, self.trials)),
            "strategy": pace(lambda key, body: evolved(key, body, self.trials)),
            "gradient": pace(lambda key, body: practised(key, body, self.rollouts)),
        }
        return {name: spearman(good, each) for name, each in found.items()}


@part
class Climbers:
    """Hill climbers of random bodies, which change the policy alone, or the body too; a function of a key."""

    body: bool = False
    """Change the body too."""
    bodies: int = 100
    trials: int = 400

    def __call__(self, key: jax.Array) -> dict[str, jax.Array]:
        """Search from each body: {measure: float32 []}."""
        drawing, searching = keys.split(key, "bodies", "search")
        each = jax.vmap(lambda key, body: climbed(key, body, self.trials, 0.2 * self.body))
        spent = each(jax.random.split(searching, self.bodies), bodies_of(drawing, self.bodies))
        return {"needed": jnp.median(spent)}


def bodies_of(key: jax.Array, number: int) -> jax.Array:
    """Bodies with eyes anywhere on the cart: float32 [number, 4]."""
    return jax.random.uniform(key, (number, EYES), minval=-0.5, maxval=0.5)


def climbed(key: jax.Array, body: jax.Array, trials: int, moves: float = 0.0) -> jax.Array:
    """Episodes until a policy that is changed at random, and kept where it is no worse, finds both lamps.

    moves: the deviation of what is changed of the body each time.
    """
    begin = jnp.concatenate([DEVIATION * jax.random.normal(key, (WEIGHTS,)), body])
    scale = jnp.concatenate([jnp.full(WEIGHTS, 0.25 * DEVIATION), jnp.full(EYES, moves)])
    judged = lambda whole: farther(whole[:WEIGHTS], whole[WEIGHTS:])  # noqa: E731

    def trial(held: Any, key: jax.Array) -> tuple[Any, jax.Array]:
        whole, apart = held
        other = whole + scale * jax.random.normal(key, whole.shape)
        other = other.at[WEIGHTS:].set(jnp.clip(other[WEIGHTS:], -0.5, 0.5))
        gone = judged(other)
        better = gone <= apart
        return (jnp.where(better, other, whole), jnp.where(better, gone, apart)), apart

    _, apart = jax.lax.scan(trial, (begin, judged(begin)), jax.random.split(key, trials))
    return 2.0 * first(apart < NEAR)


def evolved(key: jax.Array, body: jax.Array, trials: int, population: int = 10) -> jax.Array:
    """Episodes until the mean of an evolution strategy finds both lamps."""
    search = Strategies(sigma=0.25 * DEVIATION, rate=0.5, begins=DEVIATION)

    def generation(state: Any, key: jax.Array) -> tuple[Any, jax.Array]:
        apart = farther(search.best(state), body)
        state, genomes = search.ask(key, state, population)
        gone = jax.vmap(lambda genome: farther(genome, body))(genomes)
        return search.tell(key, state, genomes, -gone, jnp.zeros((population, 1))), apart

    begun = search.init(key, WEIGHTS, 1)
    _, apart = jax.lax.scan(generation, begun, jax.random.split(key, trials // population))
    return 2.0 * population * first(apart < NEAR)


def practised(key: jax.Array, body: jax.Array, rollouts: int, pairs: int = 4) -> jax.Array:
    """Episodes until the policy of proximal policy optimisation finds both lamps; each rollout is an episode of each row."""
    room = with_batch(Lamps(), 2 * pairs)
    agent = OnPolicy(learner=PPO(units=16, learning_rate=1e-3), horizon=room.time_limit)
    eyes = jnp.broadcast_to(body.reshape(2, 2), (2 * pairs, 2, 2))
    task = LampTask(lamp=jnp.tile(jnp.asarray(ROOMS), (pairs, 1)), eyes=eyes)
    two = with_batch(Lamps(), 2)
    both = LampTask(lamp=jnp.asarray(ROOMS), eyes=eyes[:2])

    def tick(carry: Any, key: jax.Array) -> tuple[Any, None]:
        state, world, step = carry
        acting, stepping, remembering = keys.split(key, "act", "step", "remember")
        state, action = agent.act(acting, state, "explore")
        world, next = room.step(stepping, world, action, task)
        moment = lived(step, action, next, task=task, surprise=jnp.zeros(2 * pairs))
        state, _ = agent.remember(remembering, state, moment)
        state, _ = agent.see(remembering, state, next)
        return (state, world, next), None

    def probed(state: Any) -> jax.Array:
        def tick(carry: Any, nothing: None) -> tuple[Any, jax.Array]:
            mind, world, step = carry
            mind, _ = agent.see(key, mind, step)
            mind, action = agent.act(key, mind, "exploit")
            world, next = two.step(key, world, action, both)
            return (mind, world, next), next.reward

        _, paid = jax.lax.scan(tick, (agent.embody(key, state, two.spec), *two.init(key, both)), length=two.time_limit)
        return jnp.max(jnp.sqrt(2.0) - jnp.sum(paid, axis=0))

    def rollout(state: Any, key: jax.Array) -> tuple[Any, jax.Array]:
        living, learning = keys.split(key, "live", "learn")
        apart = probed(state)
        world, step = room.init(living, task)
        state, _ = agent.see(living, state, step)
        (state, _, _), _ = jax.lax.scan(tick, (state, world, step), jax.random.split(living, room.time_limit))
        return agent.learn(learning, state)[0], apart

    _, apart = jax.lax.scan(rollout, agent.init(key, room.spec), jax.random.split(key, rollouts))
    return 2.0 * pairs * first(apart < NEAR)


def first(good: jax.Array) -> jax.Array:
    """The number of the first entry [T] that is good, from 1; T where none is."""
    return jnp.where(jnp.any(good), jnp.argmax(good) + 1, good.shape[0]).astype(jnp.float32)
