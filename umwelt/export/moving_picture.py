"""A moving picture of a life: the same world in its first episode, in later ones and in its last, side by side."""

from pathlib import Path

import numpy as np

from umwelt.export.extras import ExportError
from umwelt.export.kept import KeptEpisode, count_kept, kept_episodes
from umwelt.life.chronicle.chronicle import Chronicle
from umwelt.life.folder.folder import Folder

PANELS = 4
"""The most episodes side by side."""
SIDE, FOOT, GAP = 168, 34, 6
"""Pixels: of a panel's side, of the words below it, and between two."""
SECONDS = 10.0
PER_SECOND = 20
"""Pictures in a second, at most; fewer where an episode has fewer steps."""
SHADES = 8
"""Grey shades of the file."""


def spread(count: int, panels: int = PANELS) -> list[int]:
    """Choose the first of `count` episodes, the last one, and others evenly between them."""
    return sorted({round(place) for place in np.linspace(0, count - 1, min(panels, count))})


def write_moving_picture(folder: Folder, target: Path, panels: int = PANELS) -> int:
    """Write a GIF of episodes that the life kept, whole or not at all; returns the number of its pictures."""
    from PIL import Image

    with Chronicle.read(folder.chronicle) as chronicle:
        table = chronicle.episodes()
    count = count_kept(folder, table)
    if not count:
        raise ExportError(f"{folder.path} kept no episodes; begin a life with --keep-episodes")
    chosen = list(kept_episodes(folder, table, spread(count, panels)))
    if any(episode.frames is None for episode in chosen):
        raise ExportError(f"{folder.path}: its world cannot be drawn; built-in worlds and those that show pictures can")
    longest = max(len(episode.reward) for episode in chosen)
    number = min(longest + 1, int(SECONDS * PER_SECOND))
    pictures = [_picture(chosen, place) for place in np.linspace(0, longest, number).astype(int)]
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.draft")
    shades = [image.quantize(SHADES, dither=Image.Dither.NONE) for image in pictures]
    pause = int(1000 * SECONDS / number)
    shades[0].save(draft, format="GIF", save_all=True, append_images=shades[1:], duration=pause, loop=0, optimize=True)
    draft.replace(target)
    return number


def _picture(chosen: list[KeptEpisode], place: int):
    """One picture: every episode at its step `place`, or at its end."""
    from PIL import Image, ImageDraw, ImageFont

    sheet = Image.new("L", (len(chosen) * (SIDE + GAP) - GAP, SIDE + FOOT), 255)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for column, episode in enumerate(chosen):
        at, left = min(place, len(episode.reward)), column * (SIDE + GAP)
        assert episode.frames is not None
        frame = episode.frames[at]
        shown = Image.fromarray(frame[..., 0] if frame.shape[-1] == 1 else frame).convert("L")
        sheet.paste(shown.resize((SIDE, SIDE), Image.Resampling.BICUBIC), (left, 0))
        pen.text((left + 2, SIDE + 2), f"decision {int(episode.clocks[0]):,}", fill=0, font=font)
        pen.text((left + 2, SIDE + 17), f"return {float(episode.reward[:at].sum()):,.0f}", fill=0, font=font)
    return sheet
