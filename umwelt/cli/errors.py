"""Which exceptions are sentences for the user, and the exit code of each."""

from umwelt.export.extras import ExportError
from umwelt.life.chronicle import ChronicleError
from umwelt.life.disk import DiskFull
from umwelt.life.expression import ExpressionError
from umwelt.life.folder import FolderError
from umwelt.life.life import BadLife
from umwelt.life.signals import Stopped
from umwelt.memory.shelf import ShelfError
from umwelt.watch.serve import WatchError

CODES: tuple[tuple[type[Exception], int], ...] = (
    (BadLife, 2),
    (FolderError, 2),
    (ExpressionError, 2),
    (ChronicleError, 2),
    (ShelfError, 2),
    (ExportError, 2),
    (WatchError, 2),
    (DiskFull, 3),
)


def expected_errors(error: Exception) -> int | None:
    """The exit code of an error whose message is meant for the user; None for a defect, which shows its traceback."""
    if isinstance(error, Stopped):
        return error.code
    return next((code for kind, code in CODES if isinstance(error, kind)), None)
