"""Optimisers whose weights somebody protects."""

from typing import Any, Protocol

import optax


class Before(Protocol):
    """A protection that reads a gradient before the optimiser does, such as `umwelt.retention.Elastic`."""

    def transform(self) -> optax.GradientTransformation:
        """What is done to a gradient before the optimiser reads it."""
        ...


class Around(Protocol):
    """A protection on both sides of the optimiser, such as `umwelt.retention.Renewal`: it may change what the
    optimiser makes of a gradient, and what it remembers."""

    def around(self, optimiser: optax.GradientTransformation) -> optax.GradientTransformation:
        """The optimiser with the protection about it."""
        ...


Protection = Before | Around
"""What keeps weights near to what they were, or able to learn."""


def protected(protection: Protection | None, optimiser: optax.GradientTransformation) -> optax.GradientTransformationExtraArgs:
    """The optimiser behind the protection or within it, or where there is none the optimiser itself. A model may tell its
    `update` more by name, which only those read who need it: `slope`, a function from weights to the gradient of the
    same lesson."""
    part: Any = protection
    if part is not None:
        optimiser = part.around(optimiser) if hasattr(part, "around") else optax.chain(part.transform(), optimiser)
    return optax.with_extra_args_support(optimiser)
