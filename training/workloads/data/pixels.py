"""What the numbers of images mean: unsigned bytes say it themselves, floats are said to be one of three."""

from typing import Literal

import numpy as np

from core.errors import InputError

Pixels = Literal["bytes", "unit", "standardised"]
"""bytes: grey levels from 0 to 255, which are divided by 255; unit: from 0 to 1; standardised: any finite numbers, such
as those of mean 0 and variance 1, which a network takes as they are."""
GREATEST = {"bytes": 255, "unit": 1}
CHOICES = (
    "--pixels bytes (from 0 to 255, to be divided by 255), --pixels unit (from 0 to 1 already) or "
    "--pixels standardised (any finite numbers, taken as they are)"
)


def is_pixels(dtype: np.dtype) -> bool:
    """Whether images are read of this dtype: unsigned bytes, or floats of 2, 4 or 8 bytes."""
    return dtype == np.uint8 or (dtype.kind == "f" and dtype.itemsize <= 8)


def as_pixels(images: np.ndarray, pixels: Pixels | None, where: object) -> np.ndarray:
    """Images of unsigned bytes as they are, of floats as float32, whose numbers are what `pixels` says.

    Raises InputError, naming `where` they are and what was found, for floats without a claim, and for one
    that the numbers contradict.
    """
    if images.dtype == np.uint8:
        if pixels not in (None, "bytes"):
            raise InputError(
                f"--pixels {pixels} is for floats: {where} holds unsigned bytes, {ranged(images)}, which are "
                "--pixels bytes in any case."
            )
        return images
    with np.errstate(over="ignore"):
        numbers = images.astype(np.float32, copy=False)
    if others := numbers.size - np.count_nonzero(np.isfinite(numbers)):
        raise InputError(
            f"{where} must hold pixels that are finite in float32, found {others:,} of {numbers.size:,} that are not."
        )
    found = ranged(images)
    if pixels is None:
        raise InputError(f"{where} holds {found}: give {CHOICES}.")
    least, most, greatest = numbers.min(), numbers.max(), GREATEST.get(pixels)
    if greatest is not None and (least < 0 or most > greatest):
        raise InputError(f"--pixels {pixels}: {where} must hold pixels from 0 to {greatest}, found {found}.")
    if pixels == "bytes" and 0 < most <= 1:
        raise InputError(f"--pixels bytes: {where} must hold pixels from 0 to 255, found {found}, as of --pixels unit.")
    return numbers


def ranged(array: np.ndarray, shape: str = "") -> str:
    """The dtype of numbers, and their least and greatest where they have such: "uint8 from 0 to 255"."""
    if not array.size or array.dtype.kind == "c":
        return f"{array.dtype.name}{shape}"
    number, form = (int, ",") if array.dtype.kind in "biu" else (float, ".6g")
    least, most = (format(number(one), form) for one in (array.min(), array.max()))
    return f"{array.dtype.name}{shape} from {least} to {most}"
