"""Images as Pillow opens them: their formats, sizes and modes are known before a pixel is decoded."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from core.errors import InputError

from .npy import reason

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
"""Pillow decides by content, and knows more than these: for EPS it would start Ghostscript."""


@contextmanager
def opened_image(source: Path | IO[bytes], where: object) -> Iterator[Any]:
    """An image, whose failures name `where` it is.

    Raises InputError for what is none or damaged, and for more pixels than Pillow takes for an image, some 89 million:
    a few bytes may claim any number.
    """
    from PIL import Image

    if isinstance(source, Path) and not source.is_file():  # a pipe would wait for a writer
        raise InputError(f"{where} is no file.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a camera's notes in an image that can be read
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(source, formats=FORMATS) as image:
                yield image
    except InputError:
        raise
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InputError(f"{where} is no image, or a damaged one: {reason(error)}.") from error
