"""What a checkpoint keeps of the machine, as this one has it."""

import os

import pytest

from training.runs.machine import machine


@pytest.mark.parametrize(("said", "expected"), [("5", 5), ("0", None), ("many", None), (None, None)])
def test_there_are_as_many_threads_as_tensorflow_is_asked_for_or_cores_that_the_process_may_use(
    monkeypatch, said, expected
):
    """Would catch a number that ignores the variable, and the cores of the machine where fewer may be used."""
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS", raising=False)
    if said is not None:
        monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", said)
    assert machine()["number of threads"] == (expected or len(os.sched_getaffinity(0)))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3, 5})
    assert machine()["number of threads"] == (expected or 3)


@pytest.mark.skipif(not os.path.exists("/proc/cpuinfo"), reason="Linux alone says it there")
def test_a_processor_has_a_name_and_those_of_its_vector_instructions():
    found = machine()
    assert found["processor"]
    with open("/proc/cpuinfo") as file:
        there = file.read().split()
    assert {*str(found["set of vector instructions"]).split()} <= {*there}
    assert ("avx2" in there) == ("avx2" in str(found["set of vector instructions"]))


def test_a_flag_that_is_empty_is_none(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "")
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    assert (machine()["XLA_FLAGS"], machine()["TF_ENABLE_ONEDNN_OPTS"]) == (None, "0")
