"""What a wrapper of a learner takes over from the learner inside."""

from typing import Any

from umwelt.behaviours.batch import Learner
from umwelt.core import Metric


class AroundLearner:
    """A base of parts with a field `learner`, whose state keeps the learner's own in `inner`."""

    learner: Learner

    @property
    def inner(self) -> Learner:
        """The learner inside."""
        return self.learner

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The learner's."""
        return self.learner.metrics

    @property
    def discount(self) -> float:
        """The learner's."""
        return self.learner.discount

    @property
    def protection(self) -> Any:
        """The learner's."""
        return self.learner.protection

    def project(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Turn the arguments of a capability into those of the learner inside."""
        return {**arguments, "state": arguments["state"].inner}
