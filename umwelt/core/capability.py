"""Capabilities: optional methods of a part, found through the parts that it is wrapped in.

A wrapper declares three things: `inner`, the part inside; `passes`, the names of the capabilities that it lets
through; and `project(arguments)`, which turns the arguments of a capability, by name, into those of the inner part. A
wrapper without `project` hands them on as they are.
The state of a model's wrapper keeps the inner state in its field `inner`.
"""

import dataclasses
import inspect
from collections.abc import Callable, Iterator
from typing import Any

RETURNS_STATE = ("imitate", "learn_and_recall")
"""Capabilities whose result begins with a new state."""


def layers(part: Any) -> Iterator[Any]:
    """Yield a part and every part inside it, the outermost first."""
    while part is not None:
        yield part
        part = getattr(part, "inner", None)


def innermost(part: Any) -> Any:
    """The part inside all wrappers."""
    return list(layers(part))[-1]


def is_hosted(part: Any) -> bool:
    """True for a part whose methods are ordinary Python, which no compiled program may contain."""
    return bool(getattr(part, "hosted", False))


def capability(part: Any, name: str, required: str = "") -> Callable[..., Any] | None:
    """Find the method `name` of a part, or of a part inside it; None where there is none.

    required: the argument that asks for it. Where it is given, a missing method is a ValueError that names both.
    """
    wrappers: list[Any] = []
    for layer in layers(part):
        found = getattr(layer, name, None)
        if found is not None:
            return _through(tuple(wrappers), found, name) if wrappers else found
        if name not in getattr(layer, "passes", ()):
            break
        wrappers.append(layer)
    if required:
        raise ValueError(f"{required}: {type(part).__name__} has no `{name}`, nor has a part inside it that it lets through")
    return None


def _through(wrappers: tuple[Any, ...], found: Callable[..., Any], name: str) -> Callable[..., Any]:
    """`found` of an inner part, taking the arguments of the outermost wrapper."""
    signature = inspect.signature(found)

    def call(*arguments: Any, **keywords: Any) -> Any:
        bound, states = signature.bind(*arguments, **keywords), []
        bound.apply_defaults()
        given = dict(bound.arguments)
        for wrapper in wrappers:
            states.append(given.get("state"))
            given = wrapper.project(given) if hasattr(wrapper, "project") else given
        result = found(**given)
        if name not in RETURNS_STATE:
            return result
        state, *rest = result
        for outer in reversed(states):
            state = dataclasses.replace(outer, inner=state)
        return (state, *rest)

    return call
