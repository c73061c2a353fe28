"""Stack figures of a report into one picture, such as those of README.md:

    umwelt live --stream curious --name curious
    umwelt report lives/curious --out curious
    python -m tools.pictures curious docs/curious.png coverage choices exams

The first two words are the folder of the report and the picture; the names of figures follow, from top to bottom.
"""

import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

HEAD = 30
"""Pixels above a figure, for its title."""


def stacked(figures: list[Image.Image]) -> Image.Image:
    """Put figures on white, each under its title, one below the other at their own sizes."""
    wide = max(figure.width for figure in figures)
    whole = Image.new("RGB", (wide, sum(figure.height + HEAD for figure in figures)), "white")
    pen, font, top = ImageDraw.Draw(whole), ImageFont.load_default(size=17), 0
    for figure in figures:
        pen.text((8, top + 6), figure.info.get("Title", ""), fill="black", font=font)
        whole.paste(figure.convert("RGB"), (0, top + HEAD))
        top += HEAD + figure.height
    return whole


def main(words: list[str]) -> int:
    """Read the figures and write the picture."""
    if len(words) < 3:
        print(__doc__)
        return 2
    report, target, *names = words
    picture = stacked([Image.open(Path(report) / "figures" / f"{name}.png") for name in names])
    # few colours are enough for lines and maps, and README loads sooner
    picture.quantize(128).save(target, optimize=True)
    print(f"{target}: {picture.width} x {picture.height} pixels, {Path(target).stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
