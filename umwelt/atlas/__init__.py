"""The atlas: every published system that the library is about, its recipe, its claims and their verdicts.

    umwelt atlas bisimulation        which system does it, and what came of it

`systems.tsv` beside this file has one row a system. Status and verdicts are not written there: they are looked up.
"""

from umwelt.atlas.systems import Row, System, rows, search, summary, systems, unplaced

__all__ = ["Row", "System", "rows", "search", "summary", "systems", "unplaced"]
