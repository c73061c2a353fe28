"""Export of one life into one folder of files."""

from pathlib import Path

from umwelt.export.atomic_folder import atomic_folder
from umwelt.export.extras import ExportError
from umwelt.export.flat import FORMATS, write_tables
from umwelt.life.folder.folder import Folder


def export(folder: Folder, target: Path, form: str, episodes: int = 20) -> dict[str, int]:
    """Write the life in `folder` into the folder `target`, whole or not at all; returns file -> number of rows.

    form: csv, parquet or rerun. episodes: how many kept episodes a recording shows, the newest.
    """
    if form not in (*FORMATS, "rerun"):
        raise ExportError(f"form: {form!r} is not one of {', '.join(FORMATS)}, rerun")
    if episodes < 0:
        raise ExportError(f"episodes: {episodes} is less than none; give 0 for none")
    if not folder.chronicle.exists():
        raise ExportError(f"{folder.path} has no chronicle yet; try again when the life has begun")
    with atomic_folder(target) as (draft, note):
        note |= {"life": folder.name, "command": folder.description.get("command", ""), "format": form}
        if form in FORMATS:
            files = write_tables(folder.chronicle, draft, form)
        else:
            from umwelt.export.recording import record

            files = {f"{folder.name}.rrd": record(folder, draft / f"{folder.name}.rrd", episodes)}
        note["files"] = files
    return files
