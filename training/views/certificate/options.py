"""Options that the verifier's commands share. Free of TensorFlow."""

from typing import Annotated, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from ...workloads.options import Whole

Dtype = Literal["float32", "float64"]
JudgedDtype = Literal["float32", "float64", "bfloat16", "float16"]
"""The narrow ones too, in which a rule is judged by its float32 masters."""
Seed = Annotated[Whole, Parameter(validator=Number(gte=0))]
Steps = Annotated[Whole, Parameter(validator=Number(gte=1, lte=10_000))]
