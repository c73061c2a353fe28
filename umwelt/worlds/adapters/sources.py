"""Say in words how an environment is made, so that a life can write it down and make it again."""

import copy
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
from gymnasium.envs.registration import EnvSpec

from umwelt.worlds.adapters import variants
from umwelt.worlds.adapters.simulators import find_here


def named(tasks: Mapping[str, Any] | Sequence[Any]) -> tuple[tuple[str, str, str], ...]:
    """(name, source, options as JSON) of each task, from sources alone or in pairs with their options."""
    if isinstance(tasks, str) or not tasks:
        raise ValueError(f"tasks is {tasks!r}; give a dict from names to environments, or a list of environments")
    given = list(tasks.values()) if isinstance(tasks, Mapping) else list(tasks)
    pairs = [one if isinstance(one, tuple) else (one, {}) for one in given]
    found = [(*_source(environment), options) for environment, options in pairs]
    plain = [name for name, _, _ in found]
    names = list(tasks) if isinstance(tasks, Mapping) else [
        variants.titled_by(name, options, plain.count(name) > 1) for name, _, options in found
    ]  # fmt: skip
    if len(set(names)) < len(names):
        raise ValueError(f"tasks holds the same environment twice ({', '.join(names)}): give a dict, with a name for each")
    return tuple((name, source, _written(options)) for name, (_, source, options) in zip(names, found, strict=True))


def _source(environment: Any) -> tuple[str, str]:
    """(what it is called, how it is found again) of an id, an EnvSpec, an environment, a class or a function."""
    if isinstance(environment, str):
        return environment, environment
    if isinstance(environment, EnvSpec):
        return environment.id, _spec(environment)
    if isinstance(environment, gymnasium.Env):
        return _made(environment)
    if callable(environment):
        return path(environment).partition(":")[2], path(environment)
    raise TypeError(f"{environment!r} is no environment: give an id, an EnvSpec, a gymnasium.Env, or a class or function")


def _made(environment: gymnasium.Env[Any, Any]) -> tuple[str, str]:
    """The source of an environment, which is made once more to see that it is the same."""
    spec = environment.spec
    if spec is None:
        kind = type(environment.unwrapped).__name__
        raise ValueError(
            f"this {kind} has no spec, so a life could not make it again: give the class, as umwelt.worlds.of({kind},"
            " options={...}), or make it by gymnasium.make"
        )
    source = _spec(spec)
    again = EnvSpec.from_json(source).make()
    same = again.observation_space == environment.observation_space and again.action_space == environment.action_space
    again.close()
    if not same:
        raise ValueError(f"{spec.id} made again from its spec has other spaces: give a function that makes it as it is")
    return spec.id, source


def _spec(spec: EnvSpec) -> str:
    """An EnvSpec as JSON, with classes and functions by their paths."""
    unknown = [wrapper.name for wrapper in spec.additional_wrappers if wrapper.kwargs is None]
    if unknown:
        raise ValueError(
            f"{spec.id}: its wrapper {unknown[0]} does not record its arguments: derive it from"
            " gymnasium.utils.RecordConstructorArgs too, or give a function at the top of a module that makes it whole"
        )
    spec = copy.deepcopy(spec)
    for field in ("entry_point", "vector_entry_point"):
        if callable(maker := getattr(spec, field)):
            setattr(spec, field, path(maker) if field == "entry_point" else None)
    if spec.kwargs.get("render_mode") == "human":  # no windows in a life
        del spec.kwargs["render_mode"]
    for what, keywords in [(spec.id, spec.kwargs), *((each.name, each.kwargs or {}) for each in spec.additional_wrappers)]:
        for name, value in keywords.items():
            _checked(f"{what}: its argument {name}", value)
    return spec.to_json()


def _written(options: Any) -> str:
    if not isinstance(options, dict):
        raise TypeError(f"options of a task must be a dict of keyword arguments; it is {options!r}")
    for name, value in options.items():
        _checked(f"options: {name}", value)
    return json.dumps(options)


def _checked(what: str, value: Any) -> None:
    try:
        json.dumps(value)
    except TypeError as error:
        raise ValueError(
            f"{what} is {value!r}, which cannot be written into a life: give numbers, words and lists, or a function at the"
            " top of a module that makes the environment whole"
        ) from error


def path(maker: Any) -> str:
    """`module:name` of a class or a function at the top of a module; a ValueError where it is none."""
    module, name = getattr(maker, "__module__", None), getattr(maker, "__qualname__", None)
    mend = "put it at the top of a module of its own, so that a life can import it again"
    if module is None or name is None:
        raise ValueError(f"{maker!r} has no name: {mend}")
    if "<lambda>" in name or "<locals>" in name or "." in name:
        raise ValueError(f"{name} is not at the top of its module: {mend}")
    if module == "__main__":
        raise ValueError(f"{name} is in the script that runs: {mend}")
    find_here()
    if getattr(sys.modules.get(module), name, None) is not maker:
        raise ValueError(f"{module} has no {name} at its top, or another one: {mend}")
    return f"{module}:{name}"
