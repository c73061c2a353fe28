"""Metrics: each is declared once, with its unit and its meaning."""

from umwelt.core.struct import part


@part
class Metric:
    """The declaration of one diagnostic.

    better: "up", "down" or "" - which way is good, for tables and colours. event: what happened when the value has
    changed, with {} for the new one; empty where a change is no event.
    """

    name: str
    unit: str
    meaning: str
    better: str = ""
    event: str = ""


SURPRISE = Metric(
    name="surprise",
    unit="nats, or standard deviations where the model has no density",
    meaning="how unexpected the step was to the model that had not yet learned from it",
    better="down",
)
DOUBT = Metric(
    name="doubt",
    unit="standard deviations of what is predicted",
    meaning="what the model expected not to know about the step before it was seen",
    better="down",
)
