"""Describe the observations and actions of a life's world for a `Codec`, as JSON."""

import math
from typing import Any

import jax
import numpy as np

from umwelt.core import Discrete, spaces
from umwelt.life.composition import BadLife
from umwelt.worlds.adapters.forms import actions, observations, picture_axes
from umwelt.worlds.adapters.hosted import Hosted
from umwelt.worlds.adapters.simulators import DmControlSimulator, GymnasiumSimulator, build
from umwelt.worlds.announced import SEEN, TASK, Announced
from umwelt.worlds.wrapped import Wrapped


def describe(world: Any) -> dict[str, Any]:
    """{"observation": ..., "action": ...} of the world that is outside all layers: an environment's own forms."""
    if isinstance(world, Wrapped):
        inner = describe(world.world)
        if world.spec.action != world.world.spec.action:
            raise BadLife(f"world: the layer {type(world.layer).__name__} changes the actions, which a policy cannot undo")
        return inner
    if isinstance(world, Announced):
        inner, task = describe(world.world), world.spec.observation[TASK]
        return {**inner, "observation": _entries([SEEN, TASK], [inner["observation"], _tree(task, action=False)])}
    if isinstance(world, Hosted):
        return _environment(world)
    return {"observation": _tree(world.spec.observation, action=False), "action": _tree(world.spec.action, action=True)}


def _environment(world: Hosted) -> dict[str, Any]:
    """The forms of a simulator, which is built for a moment."""
    simulator = build(next(iter(world.builds().values())))
    try:
        if isinstance(simulator, DmControlSimulator):
            names = list(simulator.environment.observation_spec())
            parts: list[dict[str, Any]] = [{"kind": "part"} for _ in names]
            seen = {**_entries(names, parts), "kind": "sized", "sizes": [int(size) for size in simulator.sizes]}
            form = simulator.action_form
            return {"observation": seen, "action": _box(form.low, form.high, form.shape, "float32", "float32")}
        assert isinstance(simulator, GymnasiumSimulator)
        environment = simulator.environment
        return {
            "observation": observation_node(environment.observation_space),
            "action": action_node(environment.action_space),
        }
    finally:
        simulator.close()


def observation_node(space: Any) -> dict[str, Any]:
    """Describe observations of a Gymnasium space, as `adapters.forms.observations` turns them."""
    from gymnasium import spaces as own

    form, _ = observations(space)
    if isinstance(space, own.Box):
        axes = picture_axes(space.shape) if form.dtype == "uint8" and form.shape != space.shape else ()
        moved = {"axes": list(axes), "made": list(form.shape)} if axes else {}
        return {"kind": "bytes" if form.dtype == "uint8" else "vector", "shape": list(space.shape), **moved}
    return {"kind": "flat", "space": _flat(space)}


def action_node(space: Any) -> dict[str, Any]:
    """Describe actions of a Gymnasium space, as `adapters.forms.actions` turns them."""
    from gymnasium import spaces as own

    form, _ = actions(space)
    if isinstance(space, own.Box):
        return _box(space.low, space.high, space.shape, str(space.dtype), form.dtype)
    if isinstance(space, own.Discrete):
        return {"kind": "choice", "n": int(space.n), "start": int(space.start)}
    binary = isinstance(space, own.MultiBinary)
    counts = [2] * math.prod(space.shape) if binary else [int(n) for n in np.ravel(space.nvec)]
    start = [0] * len(counts) if binary else [int(n) for n in np.ravel(space.start)]
    return {"kind": "table", "counts": counts, "start": start, "shape": list(space.shape), "dtype": str(space.dtype)}


def _flat(space: Any) -> dict[str, Any]:
    """Describe a Gymnasium space that is flattened to one vector."""
    from gymnasium import spaces as own

    if isinstance(space, own.Dict):
        return _entries(list(space.spaces), [_flat(inner) for inner in space.spaces.values()])
    if isinstance(space, own.Tuple):
        return {"kind": "tuple", "parts": [_flat(inner) for inner in space.spaces]}
    if isinstance(space, own.Box):
        return {"kind": "box", "shape": list(space.shape), "dtype": str(space.dtype)}
    if isinstance(space, own.MultiBinary):
        return {"kind": "binary", "shape": list(space.shape)}
    if isinstance(space, own.Discrete):
        return {"kind": "hot", "shape": [], "counts": [int(space.n)], "start": [int(space.start)]}
    if isinstance(space, own.MultiDiscrete):
        counts, start = ([int(n) for n in np.ravel(each)] for each in (space.nvec, space.start))
        return {"kind": "hot", "shape": list(space.shape), "counts": counts, "start": start}
    if isinstance(space, own.Text):
        letters = "".join(sorted(space.character_set, key=space.character_index))
        return {"kind": "text", "letters": letters, "length": int(space.max_length), "shortest": int(space.min_length)}
    if isinstance(space, own.OneOf):
        parts = [_flat(inner) for inner in space.spaces]
        return {"kind": "one of", "parts": parts, "width": int(own.flatdim(space)) - 1}
    raise BadLife(f"world: a policy cannot read observations of {space}; give the environment a wrapper with a Dict or a Box")


def _tree(space: Any, action: bool) -> dict[str, Any]:
    """Describe values of an Umwelt space, whose arrays stay as they are; parts stand in the order of the leaves."""
    if isinstance(space, Discrete):
        return {"kind": "choice", "n": space.n}
    if spaces.is_leaf(space):
        if action:
            low, high = space.bounds
            return _box(low, high, space.shape, space.dtype, space.dtype)
        return {"kind": "array", "shape": list(space.shape), "dtype": space.dtype}
    if isinstance(space, tuple | list):
        return {"kind": "tuple", "parts": [_tree(inner, action) for inner in space]}
    flat, _ = jax.tree.flatten_with_path(space, is_leaf=lambda node: node is not space)
    names = [getattr(path[0], "key", getattr(path[0], "name", None)) for path, _ in flat]
    return _entries(names, [_tree(inner, action) for _, inner in flat])


def _entries(names: list[Any], parts: list[dict[str, Any]]) -> dict[str, Any]:
    return {"kind": "entries", "names": names, "parts": parts}


def _box(low: Any, high: Any, shape: Any, dtype: str, form: str) -> dict[str, Any]:
    """Describe actions between bounds; dtype: the environment's. form: the life's."""
    edges = [_short(np.broadcast_to(np.asarray(edge), tuple(shape))) for edge in (low, high)]
    return {"kind": "box", "low": edges[0], "high": edges[1], "shape": list(shape), "dtype": dtype, "form": form}


def _short(edge: np.ndarray) -> Any:
    """One number where all are the same."""
    return edge.flat[0].item() if edge.size and (edge == edge.flat[0]).all() else edge.tolist()
