"""The page beside a life: its link where one is served, and one started where it was asked for."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from umwelt.watch.address import Notice, find_notice

IDLE_MINUTES = 60
"""A page that a life started ends by itself when nobody has looked at it for so long."""
PATIENCE = 20.0
"""Seconds that a page may take to begin; the life begins meanwhile or not at all, but never because of it."""

_started: list[subprocess.Popen[str]] = []
"""Held until this process ends, so that a page is not taken for forgotten."""


def show_page(lives: str, wanted: bool, silent: bool) -> None:
    """Say where the lives of this folder can be watched; with `wanted`, serve the page where nobody does yet."""
    notice = find_notice(lives)
    if notice is None and wanted:
        notice = start_page(Path(lives))
    if notice is not None and (wanted or not silent):
        print(f"watch:    {notice.link}", file=sys.stderr, flush=True)


def start_page(lives: Path) -> Notice:
    """A page as a process of its own: it outlives this life, and neither its Ctrl-C nor its end touches the other."""
    from umwelt.watch.serve import WatchError, need_extra

    need_extra()
    words = [sys.executable, "-m", "umwelt", "watch", str(lives), "--idle", str(IDLE_MINUTES), "--json"]
    with tempfile.TemporaryFile("w+") as told:
        page = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=told, start_new_session=True, text=True
        )
        _started.append(page)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and page.poll() is None:
            notice = find_notice(lives)
            if notice is not None:
                return notice
            time.sleep(0.05)
        if page.poll() is None:
            page.terminate()
            page.wait()
        told.seek(0)
        why = told.read().strip().removeprefix("umwelt: ") or "it took too long"
    raise WatchError(f"the page did not begin ({why}); leave --watch out, or try `umwelt watch {lives}`")
