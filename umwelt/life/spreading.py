"""Spreads several seeds over the devices of a machine. Each device runs the lives of its seeds, and they exchange nothing.

A value of all seeds has one leading axis, and each device holds a part of it. A save holds the whole, so it can be resumed on
another number of devices. Where JAX has a default device (`jax_default_device`), that one runs all seeds.
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

AXIS = "seeds"


def share(seeds: int, devices: int) -> int:
    """How many of the devices take part: the most that can have equally many seeds."""
    return next(number for number in range(min(seeds, devices), 0, -1) if seeds % number == 0)


def mesh_of(seeds: int) -> Mesh | None:
    """The devices that share the seeds; None where one device runs them all."""
    devices = _devices()
    number = share(seeds, len(devices))
    return Mesh(np.array(devices[:number]), (AXIS,)) if number > 1 else None


def sentence(seeds: int) -> str:
    """A sentence about where several seeds run; empty where there is no choice."""
    devices = len(_devices())
    if seeds == 1 or devices == 1:
        return ""
    number = share(seeds, devices)
    if number == min(seeds, devices):
        return f"{seeds} seeds run on {number} devices"
    return (
        f"{seeds} seeds run on {number} of {devices} devices, with equally many on each; --seeds {devices} or a multiple uses all"
    )


def compiled(function: Callable[..., Any], mesh: Mesh | None, in_axes: Any = 0, **options: Any) -> Callable[..., Any]:
    """A function of one seed, compiled for all. in_axes: as `jax.vmap` takes it; what has no axis goes to every device."""
    batched = jax.vmap(function, in_axes=in_axes)
    if mesh is None:
        return jax.jit(batched, **options)
    split = PartitionSpec(AXIS)
    given = split if in_axes == 0 else tuple(PartitionSpec() if axis is None else split for axis in in_axes)
    # `check_vma` would ask each loop to say what differs between devices, which here is everything
    run = jax.shard_map(batched, mesh=mesh, in_specs=given, out_specs=split, check_vma=False)
    placed = jax.tree.map(lambda spec: NamedSharding(mesh, spec), given)
    return jax.jit(run, in_shardings=placed, out_shardings=NamedSharding(mesh, split), **options)


def place(value: Any, mesh: Mesh | None) -> Any:
    """A value of all seeds with each leaf on the devices that share it; what lies there already stays."""
    return value if mesh is None else jax.device_put(value, NamedSharding(mesh, PartitionSpec(AXIS)))


def of_seed(value: Any, index: int, mesh: Mesh | None) -> Any:
    """One seed's part of a value of all seeds, on the first device."""
    if mesh is None:
        return jax.tree.map(lambda leaf: leaf[index], value)

    def row(leaf: jax.Array) -> jax.Array:
        device, place = divmod(index, len(leaf) // mesh.size)
        return jax.device_put(_parts(leaf)[device][place], mesh.devices[0])

    return jax.tree.map(row, place(value, mesh))


def on_first(value: Any, mesh: Mesh | None) -> Any:
    """The part of a value of all seeds that lies on the first device."""
    return value if mesh is None else jax.tree.map(lambda leaf: _parts(leaf)[0], place(value, mesh))


def _parts(leaf: jax.Array) -> list[jax.Array]:
    """What each device holds of a leaf, in the order of the seeds."""
    return [shard.data for shard in sorted(leaf.addressable_shards, key=lambda shard: shard.index[0].start or 0)]


def _devices() -> list[Any]:
    """The devices that may share seeds."""
    config: Any = jax.config  # its attributes are made when JAX is imported
    return jax.local_devices()[:1] if config.jax_default_device is not None else jax.local_devices()
