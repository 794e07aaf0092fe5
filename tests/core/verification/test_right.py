"""Right implementations, written by others or otherwise than ours, are certified, or differ in roundings alone."""

from shutil import which

import pytest

from core.verification import synthetic, verify

from .right import IN_C, RIGHT

needs_c = pytest.mark.skipif(which("cc") is None, reason="there is no C compiler: Debian's package is gcc")

PARAMETERS = [
    pytest.param(
        right,
        dtype,
        id=f"{right.name}-{dtype}",
        marks=[*([] if (n, d) == (n // 4 * 4, 0) else [pytest.mark.whole]), *([needs_c] if right in IN_C else [])],
    )
    for n, right in enumerate(RIGHT)
    for d, dtype in enumerate(right.dtypes if n % 8 else reversed(right.dtypes))
]
"""Every fourth in one of its dtypes; `pytest -m whole` takes the others."""


@pytest.mark.parametrize(("right", "dtype"), PARAMETERS)
def test_a_right_implementation_is_certified_or_differs_in_roundings_alone(right, dtype):
    rows = verify(
        right.subject(),
        right.reference,
        dtypes=[dtype],
        streams=lambda dtype: synthetic(dtype, 40),
        executions=["graph"],
        **right.options,
    )
    assert {row.verdict for row in rows} == {"rounding" if right.rounding else "certified"}, rows
    assert all(bool(row.rounding) == right.rounding for row in rows)


def test_there_are_twenty_and_roundings_among_them():
    assert len(RIGHT) >= 20
    assert sum(right.rounding for right in RIGHT) >= 4
