"""Optimisers whose weights somebody protects."""

from typing import Protocol

import optax


class Protection(Protocol):
    """What keeps weights near to what they were, such as the parts of `umwelt.retention`."""

    def transform(self) -> optax.GradientTransformation:
        """What is done to a gradient before the optimiser reads it."""
        ...


def protected(protection: Protection | None, optimiser: optax.GradientTransformation) -> optax.GradientTransformation:
    """The optimiser behind the protection, or where there is none the optimiser itself."""
    return optimiser if protection is None else optax.chain(protection.transform(), optimiser)
