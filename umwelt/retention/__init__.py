"""Parts that keep old knowledge, or the ability to learn.

    protections: before an optimiser    Anchored, Elastic, Synaptic, Sparse
    protections: around an optimiser    Renewal, LowRank, Refresh
    models of models                    Experts (Prune), for a stream; Hypernetwork, Zoo, for replay
    divergences of answers              Square, Entropy
    change detection                    Cusum, PageHinkley

Every learner takes a protection in its field `protection`. Rehearsal is a choice of the memory
(`umwelt.memory.Lifelong`)."""

from umwelt.retention.anchored import Anchored
from umwelt.retention.change import Cusum, PageHinkley
from umwelt.retention.divergence import Entropy, Square
from umwelt.retention.elastic import Elastic
from umwelt.retention.experts import Experts
from umwelt.retention.hypernetwork import Hypernetwork
from umwelt.retention.low_rank import LowRank
from umwelt.retention.prune import Prune
from umwelt.retention.refresh import Refresh
from umwelt.retention.renewal import Renewal
from umwelt.retention.shaken import Shaken
from umwelt.retention.sparse import Sparse
from umwelt.retention.synaptic import Synaptic
from umwelt.retention.zoo import Zoo

__all__ = [
    "Anchored",
    "Cusum",
    "Elastic",
    "Entropy",
    "Experts",
    "Hypernetwork",
    "LowRank",
    "PageHinkley",
    "Prune",
    "Refresh",
    "Renewal",
    "Shaken",
    "Sparse",
    "Square",
    "Synaptic",
    "Zoo",
]
