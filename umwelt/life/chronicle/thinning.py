"""A metric for a picture: however many rows a chronicle holds, a few hundred points that show every peak."""

import numpy as np

from umwelt.life.chronicle.chronicle import LATEST, Chronicle
from umwelt.life.chronicle.schema import BUCKET, INTEGER, REAL

COLUMNS = ("clock", "low", "mean", "high")

ROWS = """
SELECT MAX(clock), MIN(value), SUM(value) / COUNT(*), MAX(value) FROM metrics
WHERE name_id = :name AND seed = :seed AND clock BETWEEN :begin AND :end GROUP BY clock / :width ORDER BY 1
"""
# A bucket that extends beyond an end is left out, and its rows inside are read one by one.
BUCKETS = f"""
SELECT MAX(last), MIN(low), SUM(total) / SUM(count), MAX(high) FROM (
    SELECT block * {BUCKET} AS clock, last, low, high, total, count FROM blocks
    WHERE name_id = :name AND seed = :seed AND block BETWEEN :first AND :final
    UNION ALL
    SELECT clock, clock, value, value, value, 1 FROM metrics
    WHERE name_id = :name AND seed = :seed AND clock BETWEEN :begin AND :first * {BUCKET} - 1
    UNION ALL
    SELECT clock, clock, value, value, value, 1 FROM metrics
    WHERE name_id = :name AND seed = :seed AND clock BETWEEN (:final + 1) * {BUCKET} AND :end
) GROUP BY clock / :width ORDER BY 1
"""


def thinned(chronicle: Chronicle, name: str, seed: int, begin: int, end: int, points: int) -> dict[str, np.ndarray]:
    """Summarise one metric of one seed from clock `begin` to `end`, both included, in at most `points` stretches.

    Columns: clock int64, that of a stretch's last row; low, mean, high float64 over all its rows. Stretches have equal
    lengths and lie at multiples of it, so they stay where they are when the window moves. Empty ones are left out.
    """
    if points < 2:
        raise ValueError(f"points={points}: a picture needs at least 2")
    number = chronicle.number_of(name)
    # a window that begins inside a stretch has one stretch more than its length fills
    width = min(max(1, -(-(end - begin + 1) // (points - 1))), LATEST // 2)
    values = {"name": number, "seed": int(seed), "begin": int(begin), "end": int(end), "width": width}
    query = ROWS
    if width >= BUCKET and has_buckets(chronicle):
        values["width"] = -(-width // BUCKET) * BUCKET
        values["first"], values["final"] = -(-int(begin) // BUCKET), (int(end) + 1) // BUCKET - 1
        query = BUCKETS
    rows = chronicle.database.rows(query, values, (INTEGER, REAL, REAL, REAL))
    table = np.array([[np.nan if value is None else value for value in row[1:]] for row in rows], np.float64).reshape(-1, 3)
    clocks = np.array([row[0] for row in rows], np.int64)
    return dict(zip(COLUMNS, (clocks, *table.T), strict=True))


def has_buckets(chronicle: Chronicle) -> bool:
    """False for a chronicle of format 1 that no writer has opened since."""
    return chronicle.database.has("blocks")
