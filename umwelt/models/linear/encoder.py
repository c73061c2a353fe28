"""The locality-sensitive sparse encoder: soft tile coding over random oblique grids.

Losse (ICLR 2024). An input is projected at random, squashed into (0, bins), and cut into
small grids of `axes` dimensions; each grid lights the 2**axes corners of the cell that the input fell
into, with multilinear weights. So an input touches K = grids * 2**axes of D = grids * (bins + 1)**axes features. Inputs
that are far apart touch none in common. (The paper writes kappa for grids, lambda for bins and rho for axes.)

Directions through all inputs mix positions with speeds. `groups` says which inputs belong together; grids of single
inputs, each a little shifted, are classical tile coding.
"""

import itertools

import jax
import jax.numpy as jnp
import numpy as np

from umwelt.core import keys, part

Axes = tuple[tuple[int, ...], ...]
"""For each axis of a grid, the inputs that it looks at."""


@part
class Encoder:
    """Frozen features: nothing here learns. Inputs are in standard units."""

    grids: int = 16
    """How many random grids, kappa. More are smoother, at a cost of grids**2 for each transition."""
    bins: int = 3
    """Cells along each axis of a grid, lambda. More are finer, and forget less by interference."""
    axes: int = 3
    """Dimensions of one grid, rho."""
    gain: float = 1.0
    """Scale of the random projection: how quickly neighbours stop sharing features."""
    groups: tuple[Axes, ...] = ()
    """What the grids read, in turn: for each axis the numbers of the inputs that its random direction mixes, the
    observation's first and then the action's. An axis of one input lies along it. Empty: all axes mix all inputs."""

    @property
    def size(self) -> int:
        """D, the number of features."""
        return self.grids * (self.bins + 1) ** self.axes

    @property
    def slots(self) -> int:
        """K, the number of features that one input touches."""
        return self.grids * 2**self.axes

    def projection(self, key: jax.Array, width: int) -> jax.Array:
        """Draw a projection, float32 [width, grids * axes]; with `groups` one row more, the shifts of the axes."""
        if self.groups:
            return self._grouped(key, width)
        drawn = jax.random.truncated_normal(key, -2.0, 2.0, (width, self.grids * self.axes), jnp.float32)
        return drawn * (self.gain / np.sqrt(width)).astype(np.float32)

    def _grouped(self, key: jax.Array, width: int) -> jax.Array:
        """Draw directions of length `gain` that are zero outside the group, and shifts of up to half a cell to each side.
        Without the shifts all grids that lie along the same inputs would be one grid."""
        turning, shifting = keys.split(key, "turn", "shift")
        read = self._read(width)
        drawn = jnp.where(read, jax.random.normal(turning, read.shape, jnp.float32), 0.0)
        directions = self.gain * drawn / jnp.linalg.norm(drawn, axis=0)
        # a cell in the middle of the sigmoid, whose slope there is a quarter, is 4 / bins wide
        shifts = jax.random.uniform(shifting, (1, read.shape[1]), jnp.float32, -2.0 / self.bins, 2.0 / self.bins)
        return jnp.concatenate([directions, shifts])

    def _read(self, width: int) -> np.ndarray:
        """Mark the inputs that each axis reads: bool [width, grids * axes]."""
        if len(self.groups) > self.grids:
            raise ValueError(f"there are {len(self.groups)} groups for {self.grids} grids, so some would be left out")
        read = np.zeros((width, self.grids, self.axes), bool)
        for number, group in enumerate(self.groups):
            if len(group) != self.axes:
                raise ValueError(f"groups[{number}]={group} names the inputs of {len(group)} axes, and axes={self.axes}")
            for axis, inputs in enumerate(group):
                if not inputs or min(inputs) < 0 or max(inputs) >= width:
                    raise ValueError(f"groups[{number}][{axis}]={inputs} must name some of the inputs 0 to {width - 1}")
                read[list(inputs), number :: len(self.groups), axis] = True
        return read.reshape(width, -1)

    def cells(self, projection: jax.Array, inputs: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Find the cells of inputs [N, width]: their numbers int32 [N, grids, axes], and the positions inside them
        [N, grids, axes] in [0, 1], in the dtype of the inputs."""
        projection = projection.astype(inputs.dtype)
        turned = inputs @ projection[:-1] + projection[-1] if self.groups else inputs @ projection
        height = (self.bins * jax.nn.sigmoid(turned)).reshape(inputs.shape[0], self.grids, self.axes)
        # A saturated sigmoid gives exactly `bins`: the far edge of the last cell, not a cell of its own.
        cell = jnp.minimum(jnp.floor(height), self.bins - 1)
        return cell.astype(jnp.int32), height - cell

    def encode(self, projection: jax.Array, inputs: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Encode inputs [N, width] as sparse features: indices int32 [N, K], ascending, and their values [N, K]."""
        cell, inside = self.cells(projection, inputs)
        side = self.bins + 1
        strides = side ** np.arange(self.axes)[::-1]
        first = np.arange(self.grids) * side**self.axes
        corners = np.array(list(itertools.product((0, 1), repeat=self.axes))) @ strides
        root = (first + jnp.sum(cell * strides, -1)).astype(jnp.int32)
        active = root[..., None] + corners.astype(np.int32)
        return active.reshape(inputs.shape[0], -1), self._corner_values(inside).reshape(inputs.shape[0], -1)

    def _corner_values(self, inside: jax.Array) -> jax.Array:
        """Multilinear weights [N, grids, 2**axes] of positions inside cells [N, grids, axes]."""
        values = jnp.ones((*inside.shape[:-1], 1), inside.dtype)
        for axis in range(self.axes):
            sides = jnp.stack([1 - inside[..., axis], inside[..., axis]], -1)
            values = (values[..., :, None] * sides[..., None, :]).reshape(*inside.shape[:-1], -1)
        return values

    def tabulate(self, columns: jax.Array) -> jax.Array:
        """Lay out feature columns [D, C] as one row per cell, [grids * bins**axes, 2**axes * C].

        A prediction then reads one contiguous row for each grid in place of 2**axes scattered ones,
        which halves its time; the table is made once for each update.
        """
        cube = columns.reshape(self.grids, *(self.bins + 1,) * self.axes, -1)
        corners = [
            cube[(slice(None), *(slice(side, side + self.bins) for side in sides))]
            for sides in itertools.product((0, 1), repeat=self.axes)
        ]
        return jnp.stack(corners, -2).reshape(self.grids * self.bins**self.axes, -1)

    def interpolate(self, projection: jax.Array, table: jax.Array, inputs: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Read a table of C columns at inputs [N, width].

        For all columns but the last: the sum over active features k of value_k * column_k, [N, C - 1].
        For the last: its mean weighted by value_k**2, [N]. It goes grid after grid, since N rows of one grid
        fit the processor's cache and those of all grids do not.
        """
        cell, position = self.cells(projection, inputs)
        rows = jnp.sum(cell * self.bins ** np.arange(self.axes)[::-1], -1).astype(jnp.int32)

        def grid(carry: tuple[jax.Array, ...], read: tuple[jax.Array, ...]) -> tuple[tuple[jax.Array, ...], None]:
            cells, row, inside = read
            corners = cells[row].reshape(row.shape[0], 2**self.axes, -1)
            linear, square = corners[..., :-1].reshape(row.shape[0], -1), corners[..., -1]
            mass = jnp.ones_like(inside[:, :1])
            for axis in range(self.axes):
                far = inside[:, axis, None]
                left, right = jnp.split(linear, 2, -1)
                linear = left + far * (right - left)
                left, right = jnp.split(square, 2, -1)
                square = (1 - far) ** 2 * left + far**2 * right
                mass = mass * ((1 - far) ** 2 + far**2)
            return (carry[0] + linear, carry[1] + square, carry[2] + mass), None

        zero = jnp.zeros((inputs.shape[0], 1), table.dtype)
        start = (jnp.zeros((inputs.shape[0], table.shape[-1] // 2**self.axes - 1), table.dtype), zero, zero)
        by_grid = (table.reshape(self.grids, self.bins**self.axes, -1), rows.T, jnp.moveaxis(position, 1, 0))
        (linear, square, mass), _ = jax.lax.scan(grid, start, by_grid)
        return linear, (square / mass)[:, 0]
