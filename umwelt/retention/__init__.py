"""Whatever keeps old knowledge: which experience is rehearsed, which weights are protected, and who notices change."""

from umwelt.retention.change import Cusum, PageHinkley

__all__ = ["Cusum", "PageHinkley"]
