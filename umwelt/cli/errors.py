"""Which exceptions are sentences for the user, and the exit code of each."""

from umwelt.claims.claim import ClaimError
from umwelt.claims.executors import JobFailed
from umwelt.export.extras import ExportError
from umwelt.life.chronicle.chronicle import ChronicleError
from umwelt.life.composition import BadLife
from umwelt.life.folder.expression import ExpressionError
from umwelt.life.folder.folder import FolderError
from umwelt.life.saves.checkpoint import CheckpointError
from umwelt.life.saves.disk import DiskFull
from umwelt.life.saves.restore import NotAlike
from umwelt.life.signals import Stopped
from umwelt.memory.slots import ShelfError
from umwelt.watch.serve import WatchError

CODES: tuple[tuple[type[Exception], int], ...] = (
    (BadLife, 2),
    (FolderError, 2),
    (ExpressionError, 2),
    (ChronicleError, 2),
    (ShelfError, 2),
    (CheckpointError, 2),
    (NotAlike, 2),
    (ExportError, 2),
    (WatchError, 2),
    (ClaimError, 2),
    (DiskFull, 3),
    (JobFailed, 4),
)


def expected_errors(error: Exception) -> int | None:
    """The exit code of an error whose message is meant for the user; None for a defect, which shows its traceback."""
    if isinstance(error, Stopped):
        return error.code
    return next((code for kind, code in CODES if isinstance(error, kind)), None)
