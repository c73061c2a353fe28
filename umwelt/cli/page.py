"""The page beside a life: its link where one is served, and one started where it was asked for."""

import subprocess
import sys
import time
from pathlib import Path

from umwelt.life.notice import Notice, find_notice

IDLE_MINUTES = 60
"""A page that a life started ends by itself when nobody has looked at it for so long."""
PATIENCE = 20.0
"""Seconds that a page may take to begin; the life begins meanwhile or not at all, but never because of it."""


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
    page = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True, text=True
    )
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and page.poll() is None:
        notice = find_notice(lives)
        if notice is not None:
            return notice
        time.sleep(0.05)
    if page.poll() is None:
        page.terminate()
    told = page.communicate()[1].strip().removeprefix("umwelt: ")
    raise WatchError(f"the page did not begin ({told or 'it took too long'}); leave --watch out, or try `umwelt watch {lives}`")
