"""The two kinds of object in the house: frozen parts and frozen states.

A *part* is an algorithm: its fields are its hyper-parameters, its methods are pure, it holds no
arrays that change. A *struct* is a state: a frozen pytree that JAX can trace, donate and save.
"""

import dataclasses
from typing import Any, TypeVar, dataclass_transform

import jax

C = TypeVar("C")


def static(**arguments: Any) -> Any:
    """Declare a field of a struct that JAX treats as a constant (a name, a size), not as data."""
    return dataclasses.field(metadata={"static": True}, **arguments)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(static, dataclasses.field))
def struct(cls: type[C]) -> type[C]:
    """Make `cls` a state: a frozen, keyword-only dataclass that is a pytree.

    Change a field with `dataclasses.replace`. Two states are compared leaf by leaf, never with
    `==`, so a struct compares by identity.
    """
    made: Any = dataclasses.dataclass(frozen=True, kw_only=True, eq=False)(cls)
    constants = [field.name for field in dataclasses.fields(made) if field.metadata.get("static")]
    data = [field.name for field in dataclasses.fields(made) if field.name not in constants]
    return jax.tree_util.register_dataclass(made, data_fields=data, meta_fields=constants)


@dataclass_transform(frozen_default=True, kw_only_default=True)
def part(cls: type[C]) -> type[C]:
    """Make `cls` a part: a frozen, keyword-only, hashable dataclass whose `repr` is its configuration."""
    return dataclasses.dataclass(frozen=True, kw_only=True)(cls)
