"""The page beside a life: print its link where one is served, and start one where the user asks for it."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from umwelt.watch.address import PageAddress, find_address

IDLE_MINUTES = 60
"""A page that a life started ends by itself after so long without a visitor."""
PATIENCE = 20.0
"""Seconds that a page may take to begin; the life begins meanwhile or not at all, but never because of it."""

_started: list[subprocess.Popen[str]] = []
"""Held until this process ends, so that Python does not report a page as forgotten."""


def show_page(lives: str, wanted: bool, silent: bool) -> None:
    """Print where the lives of this folder can be watched; with `wanted`, serve the page where none is served yet."""
    address = find_address(lives)
    if address is None and wanted:
        address = start_page(Path(lives))
    if address is not None and (wanted or not silent):
        print(f"watch:    {address.link}", file=sys.stderr, flush=True)


def start_page(lives: Path) -> PageAddress:
    """Start a page as a process of its own: it outlives this life, and neither Ctrl-C nor the end of one touches the other."""
    from umwelt.watch.serve import WatchError, need_extra

    need_extra()
    words = [sys.executable, "-m", "umwelt", "watch", str(lives), "--idle", str(IDLE_MINUTES), "--json"]
    with tempfile.TemporaryFile("w+") as errors:
        page = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True, text=True
        )
        _started.append(page)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and page.poll() is None:
            address = find_address(lives)
            if address is not None:
                return address
            time.sleep(0.05)
        if page.poll() is None:
            page.terminate()
            page.wait()
        errors.seek(0)
        why = errors.read().strip().removeprefix("umwelt: ") or "it took too long"
    raise WatchError(f"the page did not begin ({why}); leave --watch out, or try `umwelt watch {lives}`")
