"""A policy in one file, which needs JAX and NumPy alone: `Policy(seed=0)`.

This is the first module of every exported policy. It finds program, arrays and description beside itself, in the zip too.
"""

import dataclasses
import io
import json
import pkgutil
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import export

# relative, because an exported copy stands in a package of its own
from .codec import Codec
from .player import Player

PROGRAM, ARRAYS, DESCRIPTION = "program.stablehlo", "arrays.npz", "policy.json"


class Policy:
    """A function from observations to actions. seed: what its draws come from.

    After `env.step`, `tell(reward, terminated, truncated)`; the call after an end, or after `reset()`, begins an episode.
    """

    def __init__(self, seed: int = 0) -> None:
        self.description = json.loads(_read(DESCRIPTION))
        arrays = np.load(io.BytesIO(_read(ARRAYS)))
        if any(arrays[name].dtype.itemsize == 8 for name in arrays.files):
            jax.config.update("jax_explicit_x64_dtypes", "allow")
        program = opened(_read(PROGRAM), self.description["calling"])
        device = jax.devices(program.platforms[0])[0]

        def loaded(kind: str, forms: list[dict[str, Any]]) -> list[jax.Array]:
            # NumPy's files know no bfloat16 and give its bytes, so the type is that of the program's input
            found = [arrays[f"{kind}{index}"].view(jnp.dtype(form["dtype"])) for index, form in enumerate(forms)]
            return [jax.device_put(jnp.asarray(leaf, leaf.dtype), device) for leaf in found]

        rows, (constants, carry, *_) = self.description["rows"], self.description["calling"]["inputs"]
        decide = partial(jax.jit(program.call), loaded("constants", constants))
        self._player = Player(decide, Codec(self.description["codec"], rows), loaded("carry", carry), rows, seed)

    def __call__(self, observation: Any) -> Any:
        """The action for an observation, as the environment takes it."""
        return self._player(observation)

    def tell(self, reward: Any, terminated: Any = False, truncated: Any = False) -> None:
        """Say what the last action brought, before the next call. After an end, the next call begins an episode."""
        self._player.tell(reward, terminated, truncated)

    def reset(self) -> None:
        """Begin again as after loading: the next call begins an episode, and the same numbers are drawn."""
        self._player.reset()

    @property
    def doubt(self) -> Any:
        """How little the model trusted its expectation of the last observation; NaN where there is none."""
        return self._player.doubt


def opened(text: bytes, calling: dict[str, Any]) -> export.Exported:
    """The program of StableHLO, called as `calling` says: inputs and outputs, lists of (shape, dtype).

    An empty program of the same form is exported here and now, and takes over the text. All else that a program has
    is then of this version of JAX, and no other package is needed to read a file.
    """

    def zeros(form: Any) -> Any:
        return [zeros(each) for each in form] if isinstance(form, list) else jnp.zeros(form["shape"], form["dtype"])

    empty = jax.jit(lambda *given: tuple(zeros(calling["outputs"])))
    return dataclasses.replace(
        export.export(empty, platforms=calling["platforms"])(*zeros(calling["inputs"])),
        mlir_module_serialized=text,
        module_kept_var_idx=tuple(calling["kept"]),
        calling_convention_version=calling["version"],
    )


def _read(name: str) -> bytes:
    found = pkgutil.get_data(__name__, name)
    if found is None:
        raise FileNotFoundError(f"{name} is missing beside {__file__}; export the policy again")
    return found
