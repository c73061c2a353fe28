"""Fit mixtures of Gaussians by expectation maximisation, several sizes at once; sizes are padded to the largest."""

import jax
import jax.numpy as jnp

from umwelt.core import keys, struct

SWAPS = 10
"""Rounds of k-means that follow its start."""


@struct
class Gaussians:
    """log_weight: float32 [K], minus infinity where there is no component. mean: float32 [K, D]. spread: float32 [K, D, D],
    the covariances."""

    log_weight: jax.Array
    mean: jax.Array
    spread: jax.Array


def log_joint(mixture: Gaussians, points: jax.Array) -> jax.Array:
    """Log density of points [N, D] under each component, its weight included: float32 [N, K]."""
    root = jnp.linalg.cholesky(mixture.spread)
    width = points.shape[1]
    whiten = jax.vmap(lambda root: jax.scipy.linalg.solve_triangular(root, jnp.eye(width), lower=True))(root)
    # one product for all components
    white = jnp.einsum("ne,kde->nkd", points, whiten) - jnp.einsum("ke,kde->kd", mixture.mean, whiten)
    volume = jnp.sum(jnp.log(jnp.diagonal(root, axis1=1, axis2=2)), axis=1)
    density = -0.5 * jnp.sum(white**2, axis=2) - volume - 0.5 * width * jnp.log(2.0 * jnp.pi)
    return density + mixture.log_weight


def maximised(points: jax.Array, shares: jax.Array, floor: float = 1e-6) -> Gaussians:
    """The mixture that fits points [N, D] best, given the share [N, K] of each component in each point.

    Points should be of about unit size: second moments are taken about their mean, in float32.
    """
    mass = jnp.sum(shares, axis=0)
    safe = jnp.maximum(mass, 1e-6)
    middle = jnp.mean(points, axis=0)
    centred = points - middle
    mean = (shares.T @ centred) / safe[:, None]
    squares = (centred[:, :, None] * centred[:, None, :]).reshape(points.shape[0], -1)
    second = ((shares.T @ squares) / safe[:, None]).reshape(-1, points.shape[1], points.shape[1])
    spread = second - mean[:, :, None] * mean[:, None, :] + floor * jnp.eye(points.shape[1])
    log_weight = jnp.where(mass > 0.0, jnp.log(safe) - jnp.log(jnp.sum(mass)), -jnp.inf)
    return Gaussians(log_weight=log_weight, mean=mean + middle, spread=spread)


def iterated(points: jax.Array, mixture: Gaussians, rounds: int, floor: float = 1e-6) -> tuple[Gaussians, jax.Array]:
    """Improve a mixture by `rounds` of expectation and maximisation; also the log likelihood float32 [] of all points."""

    def once(mixture: Gaussians, _: None) -> tuple[Gaussians, None]:
        return maximised(points, jax.nn.softmax(log_joint(mixture, points), axis=1), floor), None

    mixture, _ = jax.lax.scan(once, mixture, None, length=rounds)
    return mixture, jnp.sum(jax.nn.logsumexp(log_joint(mixture, points), axis=1))


def started(key: jax.Array, points: jax.Array, number: jax.Array, most: int) -> jax.Array:
    """Shares [N, most] of `number` components, each point in one: k-means, begun with places far from each other."""
    first, later = keys.split(key, "first", "later")
    rows = points.shape[0]
    begin = jnp.zeros((most, points.shape[1])).at[0].set(points[jax.random.randint(first, (), 0, rows)])
    far = jnp.sum((points - begin[0]) ** 2, axis=1)

    def place(index: jax.Array, held: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        centres, far = held
        # in proportion to the squared distance; evenly where all points are the same
        drawn = jax.random.categorical(jax.random.fold_in(later, index), jnp.log(jnp.maximum(far, 1e-12)))
        return centres.at[index].set(points[drawn]), jnp.minimum(far, jnp.sum((points - points[drawn]) ** 2, axis=1))

    centres, _ = jax.lax.fori_loop(1, most, place, (begin, far))
    real = jnp.arange(most) < number

    def assigned(centres: jax.Array) -> jax.Array:
        apart = jnp.sum((points[:, None] - centres[None]) ** 2, axis=2)
        return jax.nn.one_hot(jnp.argmin(jnp.where(real, apart, jnp.inf), axis=1), most)

    def moved(centres: jax.Array, _: None) -> tuple[jax.Array, None]:
        shares = assigned(centres)
        mass = jnp.sum(shares, axis=0)[:, None]
        return jnp.where(mass > 0.0, (shares.T @ points) / jnp.maximum(mass, 1.0), centres), None

    return assigned(jax.lax.scan(moved, centres, None, length=SWAPS)[0])


def best_fit(key: jax.Array, points: jax.Array, most: int, rounds: int = 60) -> Gaussians:
    """The mixture of 2 to `most` components with the least Akaike information criterion, for points [N, D]."""
    sizes = jnp.arange(2, most + 1)
    width = points.shape[1]

    def one(key: jax.Array, number: jax.Array) -> tuple[Gaussians, jax.Array]:
        mixture, likelihood = iterated(points, maximised(points, started(key, points, number, most)), rounds)
        parameters = number * (1 + width + width * (width + 1) // 2) - 1
        return mixture, 2.0 * parameters - 2.0 * likelihood

    mixtures, criterion = jax.vmap(one)(jax.random.split(key, most - 1), sizes)
    best = jnp.argmin(jnp.where(jnp.isfinite(criterion), criterion, jnp.inf))
    return jax.tree.map(lambda leaf: leaf[best], mixtures)


def drawn(key: jax.Array, mixture: Gaussians, weights: jax.Array, number: int, width: int) -> jax.Array:
    """Draw points float32 [number, width] from components by weights [K]; of each draw the first `width` entries."""
    choosing, moving = keys.split(key, "component", "place")
    chosen = jax.random.categorical(choosing, jnp.log(jnp.maximum(weights, 1e-30)), shape=(number,))
    root = jnp.linalg.cholesky(mixture.spread[:, :width, :width])
    noise = jax.random.normal(moving, (number, width))
    return mixture.mean[chosen, :width] + jnp.einsum("nde,ne->nd", root[chosen], noise)
