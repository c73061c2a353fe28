"""The report as a folder: the page, and each figure beside it, written whole or not at all."""

import os
import shutil
import tempfile
from pathlib import Path

from umwelt.core import part
from umwelt.life.saves.disk import room, sync
from umwelt.report.figure import Drawing
from umwelt.report.page import page, paragraph
from umwelt.report.reading import LifeData
from umwelt.report.sections import Sections, grouped

PAGE = "index.html"
FIGURES = "figures"


class BadTarget(Exception):
    """The report cannot be written there. The message is one sentence."""


@part
class WrittenReport:
    """A report on disk. faults: sentences about what could not be read."""

    page: Path
    figures: int
    faults: tuple[str, ...]


def write_report(lives: list[LifeData], out: Path, command: str, faults: tuple[str, ...] = ()) -> WrittenReport:
    """Write the report of lives into the folder `out`. command: what makes it again."""
    sections = Sections(grouped(lives), command)
    built = sections.build()
    title = f"The life {lives[0].name}" if len(lives) == 1 else f"{len(lives)} lives side by side"
    lead = [paragraph(fault, note=True) for fault in faults]
    text = page(title, lead, built, f"Made by Umwelt. This command makes it again: {command}")
    target = _put(out, text, sections.drawings)
    faults += tuple(fault for life in lives for fault in life.faults)
    return WrittenReport(page=target, figures=len(sections.drawings), faults=faults)


def _put(out: Path, text: str, drawings: list[Drawing]) -> Path:
    """Write everything into a draft beside `out`, and put it in place of the last report."""
    if out.exists() and not out.is_dir():
        raise BadTarget(f"--out {out} is a file; name a folder")
    own = (PAGE, FIGURES, "examined")
    foreign = sorted(path.name for path in out.iterdir() if path.name not in own) if out.exists() else []
    if foreign:
        raise BadTarget(f"--out {out} holds {foreign[0]}, which is not of a report; name a new folder, or an earlier report's")
    with room(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
        try:
            draft.chmod(0o755)
            (draft / FIGURES).mkdir()
            (draft / PAGE).write_text(text, encoding="utf-8")
            for drawing in drawings:
                (draft / FIGURES / f"{drawing.name}.svg").write_bytes(drawing.svg)
                (draft / FIGURES / f"{drawing.name}.png").write_bytes(drawing.png)
            _replace(draft, out)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
    return out / PAGE


def _replace(draft: Path, out: Path) -> None:
    """Put `draft` where `out` is, with the examinations of the last report."""
    if not out.exists():
        draft.rename(out)
        sync(out.parent)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{out.name}-old-", dir=out.parent))
    if (out / "examined").exists():
        shutil.copytree(out / "examined", draft / "examined")
    os.replace(out, old)
    try:
        draft.rename(out)
    except BaseException:
        os.replace(old, out)
        raise
    sync(out.parent)
    shutil.rmtree(old)
