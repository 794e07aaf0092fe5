"""Signals sent to this very process."""

import os
import signal

import pytest

from training.output.interruption import STOPPING, Interrupted, signals_noted


@pytest.fixture(autouse=True)
def heeded():
    """Whatever pytest was started with, such as nohup's ignored SIGHUP."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in STOPPING}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", STOPPING)
def test_a_signal_is_noted_and_ends_nothing(number):
    with signals_noted() as noted:
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)
        assert noted == [number, number]
    assert signal.getsignal(number) is signal.SIG_DFL


def test_the_handlers_come_back_after_an_error_too():
    with pytest.raises(Interrupted) as stop, signals_noted():
        raise Interrupted(signal.SIGTERM, "nothing was kept")
    assert stop.value.status == 143
    assert [signal.getsignal(number) for number in STOPPING] == [signal.SIG_DFL] * len(STOPPING)


def test_what_was_ignored_stays_ignored():
    """As a person wants who has typed nohup."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with signals_noted() as noted:
        os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    assert noted == []
