"""Kernels of programs written by hand as XLA's text, against what they read, write and compute, counted by hand.

JAX's library reads the text into the proto that XLA gives of a program.
"""

import pytest
from jaxlib import _hlo
from tensorflow.compiler.xla.service import hlo_pb2

from training.views.inspection.kernels import kernels
from training.views.inspection.loop import argument, descend, training_loop, trip_count
from training.views.inspection.memory import memory
from training.views.inspection.module import Module, size, written
from training.views.inspection.phases import phase
from training.views.inspection.step import by_phase


def module(text):
    proto = hlo_pb2.HloProto()
    proto.hlo_module.ParseFromString(
        _hlo.hlo_module_from_text(f"HloModule hand\n{text}").as_serialized_hlo_module_proto()
    )
    return Module(proto.SerializeToString())


def launched(text):
    program = module(text)
    return {kernel.name: kernel for kernel in kernels(program, program.entry)}


FUSION = """
%fused (a: f32[2,3], b: f32[2,3], n: s32[]) -> f32[2,3] {
  %a = f32[2,3] parameter(0)
  %b = f32[2,3] parameter(1)
  %n = s32[] parameter(2)
  %sum = f32[2,3] add(%a, %b), metadata={op_name="while/forward/add"}
  %root = f32[2,3] sqrt(%sum), metadata={op_name="while/forward/Sqrt"}
  %half = f32[] constant(0.5), metadata={op_name="while/observe/half"}
  %spread = f32[2,3] broadcast(%half), dimensions={}, metadata={op_name="while/observe/half"}
  %more = s32[] add(%n, %n), metadata={op_name="while/update/count"}
  ROOT %scaled = f32[2,3] multiply(%root, %spread), metadata={op_name="gradient_tape/while/forward/mul"}
}
ENTRY %main (x: f32[2,3], n: s32[]) -> f32[2,3] {
  %x = f32[2,3] parameter(0)
  %n = s32[] parameter(1)
  ROOT %fusion = f32[2,3] fusion(%x, %x, %n), kind=kLoop, calls=%fused
}
"""


def test_a_fusion_is_one_kernel_of_its_root_s_phase_with_the_others_named():
    """24 B of x, once though it is given twice, and 4 B of n; 6 numbers written. A sum, a root and a product of 6
    numbers each; the sum of integers is none. The constant's name is no sign of its phase."""
    kernel = launched(FUSION.replace("calls=%fused", 'calls=%fused, metadata={op_name="gradient_tape/mul"}'))["fusion"]
    assert (kernel.kind, kernel.phase, kernel.others) == ("fusion", "backward", ("forward", "update"))
    assert (kernel.read, kernel.written, kernel.result) == (24 + 4, 24, "f32[2,3]")
    assert kernel.flop == (0, 3 * 6)
    assert kernel.operations == {"add": 2, "sqrt": 1, "broadcast": 1, "multiply": 1}


PARTS = """
%fused (table: u8[100,8], i: s32[2,1], all: f32[9], new: f32[1], at: s32[]) -> (f32[2,8], f32[9]) {
  %table = u8[100,8] parameter(0)
  %i = s32[2,1] parameter(1)
  %all = f32[9] parameter(2)
  %new = f32[1] parameter(3)
  %at = s32[] parameter(4)
  %rows = u8[2,8] gather(%table, %i), offset_dims={1}, collapsed_slice_dims={0}, start_index_map={0},
    index_vector_dim=1, slice_sizes={1,8}
  %wide = f32[2,8] convert(%rows)
  %set = f32[9] dynamic-update-slice(%all, %new, %at)
  ROOT %both = (f32[2,8], f32[9]) tuple(%wide, %set)
}
ENTRY %main (table: u8[100,8], i: s32[2,1], all: f32[9], new: f32[1], at: s32[]) -> (f32[2,8], f32[9]) {
  %table = u8[100,8] parameter(0)
  %i = s32[2,1] parameter(1)
  %all = f32[9] parameter(2)
  %new = f32[1] parameter(3)
  %at = s32[] parameter(4)
  ROOT %fusion = (f32[2,8], f32[9]) fusion(%table, %i, %all, %new, %at), kind=kLoop, calls=%fused
}
"""


def test_of_a_table_the_rows_are_read_and_of_an_array_the_part_that_is_set_is_written():
    """2 rows of 8 B, 2 numbers of 4 B, nothing of the array, the new number, the place; 2 · 8 floats and one number.
    Would catch 43 MB of images read in every step."""
    kernel = launched(PARTS)["fusion"]
    assert kernel.read == 16 + 8 + 0 + 4 + 4
    assert kernel.written == 64 + 4


def test_a_table_that_is_read_whole_as_well_counts_once_and_whole():
    also = PARTS.replace("%wide = f32[2,8] convert(%rows)", (
        "%wide = f32[2,8] convert(%rows)\n  %other = f32[100,8] convert(%table)"
    )).replace("%both = (f32[2,8], f32[9]) tuple(%wide, %set)", (
        "%both = (f32[2,8], f32[9], f32[100,8]) tuple(%wide, %set, %other)"
    )).replace("(f32[2,8], f32[9]) {", "(f32[2,8], f32[9], f32[100,8]) {").replace(
        "ROOT %fusion = (f32[2,8], f32[9])", "ROOT %fusion = (f32[2,8], f32[9], f32[100,8])"
    )  # fmt: skip
    kernel = launched(also)["fusion"]
    assert kernel.read == 800 + 8 + 0 + 4 + 4
    assert kernel.written == 64 + 4 + 3200


PRODUCTS = """
%add (p: f32[], q: f32[]) -> f32[] {
  %p = f32[] parameter(0)
  %q = f32[] parameter(1)
  ROOT %sum = f32[] add(%p, %q)
}
ENTRY %main (x: f32[5,3], w: f32[3,2], k: f32[3,3,4,6], image: f32[1,9,9,4]) -> f32[2] {
  %x = f32[5,3] parameter(0)
  %w = f32[3,2] parameter(1)
  %k = f32[3,3,4,6] parameter(2)
  %image = f32[1,9,9,4] parameter(3)
  %zero = f32[] constant(0)
  %dot = f32[5,2] dot(%x, %w), lhs_contracting_dims={1}, rhs_contracting_dims={0}
  %gemm = f32[5,2] custom-call(%x, %w), custom_call_target="__cublas$gemm"
  %other = f32[5,2] custom-call(%x), custom_call_target="TopK"
  %conv = f32[1,7,7,6] convolution(%image, %k), window={size=3x3}, dim_labels=b01f_01io->b01f
  %kept = f32[5,2] copy(%dot)
  ROOT %total = f32[2] reduce(%kept, %zero), dimensions={0}, to_apply=%add
}
"""


def test_products_and_calls_of_libraries():
    """[5, 3] · [3, 2] takes 2 · 5 · 3 · 2 = 60, whoever computes it; each of 7 · 7 · 6 outputs of the convolution sums
    3 · 3 · 4 products; 5 rows of 2 are summed with 4 · 2 additions."""
    found = launched(PRODUCTS)
    assert {name: kernel.kind for name, kernel in found.items()} == {
        "dot": "product", "gemm": "product", "other": "call", "conv": "product", "kept": "copy", "total": "other",
    }  # fmt: skip
    flop = {name: kernel.flop for name, kernel in found.items()}
    assert flop["dot"] == flop["gemm"] == (60, 0)
    assert flop["conv"] == (2 * 7 * 7 * 6 * 3 * 3 * 4, 0)
    assert flop["other"] == flop["kept"] == (0, 0)
    assert flop["total"] == (0, 8)


LOOP = """
%inner (s: (s32[], f32[4])) -> (s32[], f32[4]) {
  %s = (s32[], f32[4]) parameter(0)
  %i = s32[] get-tuple-element(%s), index=0
  %v = f32[4] get-tuple-element(%s), index=1
  %double = f32[4] add(%v, %v), metadata={op_name="while/forward/while/add"}
  ROOT %next = (s32[], f32[4]) tuple(%i, %double)
}
%again (s: (s32[], f32[4])) -> pred[] {
  %s = (s32[], f32[4]) parameter(0)
  ROOT %yes = pred[] constant(true)
}
%body (s: (s32[], f32[4], f32[4])) -> (s32[], f32[4], f32[4]) {
  %s = (s32[], f32[4], f32[4]) parameter(0)
  %i = s32[] get-tuple-element(%s), index=0
  %v = f32[4] get-tuple-element(%s), index=1
  %w = f32[4] get-tuple-element(%s), index=2
  %kept = f32[4] copy(%w)
  %start = (s32[], f32[4]) tuple(%i, %v)
  %nested = (s32[], f32[4]) while(%start), condition=%again, body=%inner, backend_config={"known_trip_count":{"n":"3"}}
  %grown = f32[4] get-tuple-element(%nested), index=1
  ROOT %next = (s32[], f32[4], f32[4]) tuple(%i, %grown, %kept)
}
%more (s: (s32[], f32[4], f32[4])) -> pred[] {
  %s = (s32[], f32[4], f32[4]) parameter(0)
  %i = s32[] get-tuple-element(%s), index=0
  ROOT %less = pred[] compare(%i, %i), direction=LT
}
%called (p: f32[4], q: f32[4]) -> (s32[], f32[4], f32[4]) {
  %p = f32[4] parameter(0)
  %q = f32[4] parameter(1)
  %zero = s32[] constant(0)
  %first = (s32[], f32[4], f32[4]) tuple(%zero, %q, %p)
  ROOT %loop = (s32[], f32[4], f32[4]) while(%first), condition=%more, body=%body KNOWN
}
ENTRY %main (a: f32[4], b: f32[4]) -> (s32[], f32[4], f32[4]) {
  %a = f32[4] parameter(0)
  %b = f32[4] parameter(1)
  ROOT %call = (s32[], f32[4], f32[4]) call(%a, %b), to_apply=%called
}
"""


def test_a_loop_within_the_step_counts_as_often_as_it_runs_and_the_loop_over_steps_once():
    program = module(LOOP.replace("KNOWN", ', backend_config={"known_trip_count":{"n":"50"}}'))
    loop = training_loop(program)
    found = {kernel.name: kernel for kernel in kernels(program, loop.body, loop.within)}
    assert trip_count(loop.within[-1]) == 50
    assert {name: kernel.times for name, kernel in found.items()} == {"kept": 1, "double": 3}
    assert by_phase(list(found.values()))["forward"].flop.elementwise == 3 * 4


def test_a_loop_of_unknown_length_is_seen_as_such():
    assert trip_count(training_loop(module(LOOP.replace("KNOWN", ""))).within[-1]) is None


def test_a_value_in_the_loop_is_followed_to_the_program_s_argument():
    """Through the loop and the call around it: w is the third that the loop carries, p, and that is a."""
    program = module(LOOP.replace("KNOWN", ""))
    loop = training_loop(program)
    values = {one.name: argument(program, one, within) for one, within in descend(program, loop.body, loop.within)}
    assert (values["kept"], values["v"], values["i"], values["grown"]) == (0, 1, None, None)


def test_a_program_of_one_step_has_no_loop():
    assert training_loop(module(PRODUCTS)) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("while/gather/GatherV2", "gather"),
        ("gather/GatherV2", "gather"),
        ("while/forward/MatMul", "forward"),
        ("while/forward_1/MatMul", "forward"),
        ("gradient_tape/while/forward/MatMul/MatMul", "backward"),
        ("while/update/Sqrt", "update"),
        ("while/observe/Cast", "observe"),
        ("while/GatherV2", "loop"),
        ("while/forwarding/MatMul", "loop"),
        ("", None),
    ],
)
def test_phases_are_told_by_scopes(name, expected):
    assert phase(name) == expected


def test_sizes_and_names_of_shapes():
    program = module(PARTS)
    shapes = {one.name.split(".")[0]: one.shape for one in program.instructions(program.entry)}
    assert (size(shapes["table"]), written(shapes["table"])) == (800, "u8[100,8]")
    assert (size(shapes["fusion"]), written(shapes["fusion"])) == (64 + 36, "(f32[2,8], f32[9])")
    assert (size(shapes["at"]), written(shapes["at"])) == (4, "s32[]")


def test_a_program_without_buffers_holds_nothing():
    assert memory(module(PARTS)).total == 0
