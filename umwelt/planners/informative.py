"""Choose the most informative input in closed form: no plan is drawn, and none is rolled out.

"FLEX: an adaptive exploration algorithm for nonlinear systems" (ICML 2023). The information of an observation is a
squared length of features, and the features are linear in the input where the model is linearised. So information is a
quadratic function of the input. Its maximum on a sphere takes one eigendecomposition and one root.

Where we differ: the sphere lies in units of the box, and inputs beyond a bound are cut.
"""

import jax
import jax.numpy as jnp

from umwelt.core import Box, keys, part
from umwelt.core.contracts import Action, Belief, Prospect
from umwelt.core.spec import WorldSpec
from umwelt.planners.plans import Plans, blank

ROUNDS = 60
"""Halvings of the interval in which the root lies: as many as float32 can tell apart, and more."""


@part
class Informative:
    """The action of a given size with the highest squared score, of its own outcome and of the moment after it.

    The score is expanded to second order about doing nothing, with nothing done in the moment after. Give it the doubt
    alone: `Objective(reward=0.0, doubt=1.0)`.

    >>> best = on_sphere(jnp.diag(jnp.array([1.0, 3.0])), jnp.array([0.1, 0.0]), 2.0)
    >>> [round(float(abs(entry)), 1) for entry in best]  # the second direction is more informative
    [0.1, 2.0]
    """

    size: float = 1.0
    """Length of the action, in units of the box: 1 reaches a bound along one axis."""

    def init(self, key: jax.Array, spec: WorldSpec) -> Plans:
        """Read the action space; nothing is kept from one plan to the next."""
        if not isinstance(spec.action, Box):
            raise ValueError(f"action space {spec.action!r}: Informative chooses in a Box; take Shooting(horizon=2) for choices")
        if self.size <= 0:
            raise ValueError(f"size={self.size}: the length of an action must be above 0")
        return blank(spec.action, spec.batch, 1)

    def plan(self, key: jax.Array, state: Plans, belief: Belief, prospect: Prospect) -> tuple[Plans, Action]:
        """Choose an action for each row, [B, ...]."""
        now_key, then_key = keys.split(key, "now", "then")
        nothing = state.mode()[0, :, 0] * 0.0

        def told(unit: jax.Array) -> jax.Array:
            after, now = prospect.imagine(now_key, belief, state.decode(unit))
            _, then = prospect.imagine(then_key, after, state.decode(nothing))
            return sum((jnp.square(prospect.objective(each)) for each in (now, then)), start=jnp.zeros(unit.shape[0]))

        slope = jax.grad(lambda unit: jnp.sum(told(unit)))
        # rows do not depend on each other, so a direction that is the same in all rows gives a column of each curvature
        columns = [jax.jvp(slope, (nothing,), (jnp.broadcast_to(axis, nothing.shape),))[1] for axis in jnp.eye(nothing.shape[1])]
        curved, linear = 0.5 * jnp.stack(columns, axis=-1), 0.5 * slope(nothing)
        unit = jax.vmap(on_sphere, in_axes=(0, 0, None))(0.5 * (curved + jnp.swapaxes(curved, 1, 2)), linear, self.size)
        return state, state.decode(jnp.clip(unit, -1.0, 1.0))

    def forget(self, state: Plans, rows: jax.Array) -> Plans:
        """There is nothing to drop."""
        return state


def on_sphere(quadratic: jax.Array, linear: jax.Array, size: float) -> jax.Array:
    """Maximise u^T Q u + 2 b^T u over u of length `size`: float32 [A], for a symmetric Q [A, A] and b [A].

    The maximum solves (m - Q) u = b for the m above all eigenvalues of Q at which u has its length.
    """
    values, vectors = jnp.linalg.eigh(quadratic)
    along, top = vectors.T @ linear, values[-1]
    reach = jnp.linalg.norm(linear) / size

    def halved(edges: tuple[jax.Array, jax.Array], _: None) -> tuple[tuple[jax.Array, jax.Array], None]:
        low, high = edges
        middle = 0.5 * (low + high)
        short = jnp.sum((along / jnp.maximum(middle + top - values, 1e-12)) ** 2) < size**2
        return (jnp.where(short, low, middle), jnp.where(short, middle, high)), None

    (_, above), _ = jax.lax.scan(halved, (jnp.zeros_like(reach), reach), None, length=ROUNDS)
    rest = (along / jnp.maximum(above + top - values, 1e-12))[:-1]
    rest = rest * jnp.minimum(1.0, size / jnp.maximum(jnp.linalg.norm(rest), 1e-12))
    # what is left of the length lies along the best direction; where both ways are alike, one is taken
    last = jnp.sqrt(jnp.maximum(size**2 - jnp.sum(rest**2), 0.0)) * jnp.where(along[-1] < 0.0, -1.0, 1.0)
    return vectors @ jnp.append(rest, last)
