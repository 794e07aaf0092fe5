"""`rawstep trace` as a person gives it: what it writes, what it refuses, what Ctrl-C leaves."""

import csv
import json
import os
import re
import shutil
import signal
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from core import Adam, Recorder, schedules
from core.engine.figures import FIGURES
from training.commands.cli import app, main
from training.runs.results import report
from training.runs.trainer import Trainer
from training.views.trace import conduct
from training.views.trace.elements import revealing_elements
from training.views.trace.equations import followed
from training.views.trace.figures import clipped
from training.views.trace.folder import write_folder
from training.views.trace.own_cost import PIECES, own_cost
from training.views.trace.trace import NAME, NEEDED, Trace, load, written

from ...striped import SETTINGS, striped_data, trained
from .conftest import AROUND, QUICK


def recorded(optimizer):
    return Recorder(optimizer, every=3, figures=[*FIGURES], coordinates={"h1": [(5, 2)]})


GRAPH = replace(SETTINGS, execution="graph")


@pytest.fixture(scope="module")
def trainer():
    trainer = Trainer(GRAPH, striped_data(), recorded)
    for _ in trainer.train():
        pass
    return trainer


def test_a_trainer_that_records_trains_to_the_same_bits(trainer):
    """Would catch a recorder given to a program that it changes, or to another optimizer's."""
    plain = trained(GRAPH)
    assert trainer.history == plain.history
    for name, value in plain.variables.items():
        np.testing.assert_array_equal(trainer.variables[name], value)
    assert [*trainer.recorder.recording().steps] == [*range(1, 3 * 32 + 1, 3)]


def test_what_is_read_back_is_what_the_recorder_held(trainer, tmp_path, assert_same_columns):
    recording = trainer.recorder.recording()
    about = {"settings": {"rule_settings": {"Δ": "Δ"}}, "recorder": {}, "own_cost": None, "versions": "Δ"}
    (tmp_path / NAME).write_bytes(written(Trace(*recording, about)))
    trace = load(tmp_path)
    np.testing.assert_array_equal(trace.steps, recording.steps)
    assert_same_columns(trace.columns, recording.columns)
    assert trace.about == about
    assert trace.layers == [*trainer.variables]
    assert trace.elements == ["h1[5,2]"]


def test_the_command_writes_the_figures_of_the_run_that_its_settings_make(runs, images, assert_same_columns):
    """Would catch a run of other settings, a recorder that was asked for less, and records that are lost."""
    trace = runs.traces[runs.adam]
    assert [*trace.steps] == [*range(1, 65, 3)]
    keys = {column.rpartition("/")[2] for column in trace.columns}
    assert {"norm_g", "share_zero_g", "rate_median", "histogram_x", "relative_delta", "cost"} <= keys
    assert {"norm_m_hat", "histogram_g"} <= keys
    assert trace.elements == ["h1[5,2]", "bo[1]"]
    assert trace.about["settings"]["rule_settings"]["epsilon_form"] == "epsilon-hat"
    assert trace.about["own_cost"] is None
    assert [*runs.traces[runs.adagrad].steps] == [*range(1, 65, 4)]


def test_the_command_trains_as_a_run_without_a_recorder_does(runs, images):
    """With every figure. The mean costs are float64, of all steps' costs."""
    settings = replace(GRAPH, epochs=2).with_options({"data_dir": [str(images)]})
    plain = Trainer(settings, settings.data())
    for _ in plain.train():
        pass
    assert runs.traces[runs.adam].about["epochs"] == report(plain)["epochs"]


def rule_of(arguments):
    """The rule that a command trains with these arguments."""
    _, bound, _ = app.parse_args(["trace", *arguments])
    return bound.arguments["settings"].make_rule()


def test_what_stands_around_a_rule_is_recorded_and_a_parameter_goes_through_its_own_variable_s_rule(around):
    """The bias has no decay, and SGD; of the rate, what the schedule is at step 31."""
    trace, figures = load(around), json.loads((around / "../around.json").read_text())
    assert trace.about["settings"]["rule_settings"]["b*.rule"] == "SGD"
    assert [*trace.steps] == [1, 31]
    weight, bias = ({name.partition("/")[2]: column[1] for name, column in trace.columns.items()
                     if name.startswith(f"{element}/")} for element in trace.elements)  # fmt: skip
    rate = schedules.parse("cosine:0.01,steps=90,warmup=9")(np.float64(30))
    assert weight["decoupled_decay.decayed"] == pytest.approx(weight["x_before"] * 0.1 * rate, rel=1e-5)
    assert bias["delta"] == pytest.approx(0.1 * np.clip(bias["g"], -0.1, 0.1), rel=1e-5)
    assert not any("decay" in name for name in bias)
    assert trace.columns["h1/norm_served"][1] == trace.columns["h1/norm_average.average"][1]
    for layer in ("h1", "ho"):
        columns = {name: trace.columns[f"{layer}/{name}"] for name in (
            "norm_decoupled_decay.decayed", "relative_decoupled_decay.decayed", "norm_delta", "learning_rate",
        )}  # fmt: skip
        decayed, share, delta, rates = columns.values()
        assert share[1] == decayed[1] / delta[1] > 0
        assert rates[1] == pytest.approx(rate, rel=1e-6)
    assert 0 < trace.columns["b1/relative_average.distance"][1] < 1
    assert "b1/learning_rate" not in trace.columns, "SGD's does not follow the steps"
    assert figures["clipped"].keys() == {f"{layer}/clip_by_norm" for layer in trace.layers}
    assert figures["clipped"]["h1/clip_by_norm"] == np.mean(trace.columns["h1/clip_by_norm.factor"] < 0.999999)
    through = followed(trace, rule_of(AROUND))
    assert all(of.equations for of in through)
    assert len(through[0].equations) > len(through[1].equations), "SGD has fewer"


def test_a_clip_acted_where_its_factor_is_below_1_by_more_than_rounding():
    """Of all layers together where one factor is theirs."""
    rounded = np.float32(3) * (np.float32(1) / np.float32(3)) - 2.0**-24
    columns = {f"{layer}/clip_by_global_norm.factor": np.array([1.0, rounded, 0.5, 0.25]) for layer in ("h1", "b1")}
    columns |= {"h1/clip_by_norm.factor": np.array([0.5, 1, 1, 1]), "b1/clip_by_norm.factor": np.ones(4)}
    columns |= {"h1[0,0]/clip_by_norm.factor": np.zeros(4), "cost": np.zeros(4)}
    shares = {"clip_by_global_norm": 0.5, "h1/clip_by_norm": 0.25, "b1/clip_by_norm": 0.0}
    assert clipped(columns) == shares


def test_unless_told_otherwise_it_follows_the_pixel_that_varies_the_most(runs):
    data = striped_data()
    pixels, _ = data.train
    pixels[:, 11] = np.arange(len(pixels)) % 2 * 255
    assert revealing_elements(SETTINGS, data) == ["h1[11,0]", "bo[0]"]
    assert revealing_elements(SETTINGS.with_options({"hidden": ["none"]}), data) == ["ho[11,0]", "bo[0]"]
    assert [name.partition("[")[0] for name in runs.traces[runs.adagrad].elements] == ["h1", "bo"]


def test_the_json_has_the_last_record_and_what_recording_cost(runs):
    trace = runs.traces[runs.adagrad]
    assert runs.json["last_record"]["h1/norm_x"] == trace.columns["h1/norm_x"][-1]
    heads, *rows = csv.reader(runs.csv.splitlines())
    last = [dict(zip(heads, row, strict=True)) for row in rows[-len(trace.layers) - len(trace.elements) - 1 :]]
    assert [row["layer"] for row in last if row["layer"] in trace.layers] == trace.layers
    at = {row["layer"]: row for row in last}
    assert (at["h1"]["step"], at[""]["norm_x"]) == (str(trace.steps[-1]), "")
    assert float(at["h1"]["norm_x"]) == trace.columns["h1/norm_x"][-1]
    assert float(at[""]["cost"]) == trace.columns["cost"][-1]
    cost = runs.json["own_cost"]
    assert cost == trace.about["own_cost"]
    assert cost["low"] <= cost["times_as_long"] <= cost["high"]
    assert (cost["rounds"], cost["steps"] % 4) == (8, 0)
    assert runs.json["test_accuracy"] > 0.5


BAD = {
    "no slot": (["--values", "velocity"], "There is no slot or stage 'velocity' to record; there are: .*m_hat"),
    "no interval": (["--every", "0"], 'Invalid value "0" for --every. Must be >= 1'),
    "no layer": (["--layers", "h1", "h9"], "There is no layer 'h9' to record; there are: b1, bo, h1, ho"),
    "no figures": (["--figures", "norm"], "There is no group of figures 'norm' to record; there are: histograms"),
    "no element": (["--follow", "h1[99,0]"], r"There is no element \(99, 0\) of 'h1' to record: .* \[16, 8\]"),
    "too few places": (["--follow", "h1[9]"], r"There is no element \(9,\) of 'h1'"),
    "no such layer": (["--follow", "h7[0,0]"], "There is no layer 'h7' to record"),
    "malformed": (["--follow", "h1(3,5)"], r'--follow must name elements, such as "h1\[300,5\]".*found \'h1\(3,5\)\''),
    "beside itself": (["--beside", "new"], "given for two things"),
    "beside nothing": (["--beside", "nowhere"], "nowhere holds no trace: nowhere/trace.npz is not there"),
    "into a file": (["--out", "file"], "file must be a folder"),
    "into the working directory": (["--out", "."], r"\. must be a folder inside another one"),
    "into what is not ours": (["--out", "full"], "full must be a new folder, or hold a trace alone, found diary.txt"),
    "JSON nowhere": (["--json", "no/such/place.json"], "no/such/place.json cannot be written"),
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "sentence"), BAD.values(), ids=BAD)
def test_what_cannot_be_is_refused_in_a_sentence_before_any_training(
    arguments, sentence, images, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "diary.txt").write_text("dear")
    out = [] if "--out" in arguments else ["--out", "new"]
    assert refusal(["trace", *QUICK, "--data-dir", str(images), *out, *arguments], sentence, capsys) == 2
    assert {path.name for path in tmp_path.rglob("*")} == {"file", "full", "diary.txt"}


def refusal(arguments, sentence, capsys):
    """The exit status of a command that says one sentence like this, and nothing else."""
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    said = capsys.readouterr()
    assert said.out == ""
    assert re.search(sentence, said.err), said.err
    assert said.err.count("\n") == 1
    return stop.value.code


def zeros(**arrays):
    def write(path):
        with path.open("wb") as file:
            np.savez(file, **arrays)

    return write


def shortened(path):
    path.write_bytes(path.read_bytes()[:-200])


def an_array(path):
    with path.open("wb") as file:
        np.save(file, np.zeros(3))


def flipped(path):
    """Within the data: a header's date may be anything."""
    with zipfile.ZipFile(path) as file:
        largest = max(file.infolist(), key=lambda member: member.compress_size)
    content = bytearray(path.read_bytes())
    content[largest.header_offset + largest.compress_size // 2] ^= 0xFF
    path.write_bytes(content)


FOREIGN = {
    "shortened": (shortened, "found one that is damaged"),
    "a byte flipped": (flipped, "found (one that is damaged|something else)"),
    "text": (lambda path: path.write_text("steps"), "found one that is damaged"),
    "empty": (lambda path: path.write_bytes(b""), "found one that is damaged"),
    "another npz": (zeros(x=np.zeros(3)), "found something else"),
    "an array": (an_array, "found one that is damaged"),
    "pickled": (zeros(steps=np.array([{}])), "found one that is damaged"),
    "no steps": (zeros(steps=np.zeros(3), about=np.frombuffer(b"{}", np.uint8)), "there are no steps with a cost"),
    "not about that": (
        zeros(steps=np.zeros(1, np.int64), cost=np.zeros(1), about=np.frombuffer(b"[]", np.uint8)), "about has no",
    ),
    "other shapes": (
        zeros(steps=np.zeros(2, np.int64), cost=np.zeros(3),
              about=np.frombuffer(json.dumps(dict.fromkeys(NEEDED)).encode(), np.uint8)),
        r"the column cost is float64 \[3\], not numbers \[2\]",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("damage", "sentence"), FOREIGN.values(), ids=FOREIGN)
def test_a_file_beside_that_is_damaged_or_no_trace_is_refused(damage, sentence, runs, images, tmp_path, capsys):
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(runs.adam / NAME, other / NAME)
    damage(other / NAME)
    new = tmp_path / "new"
    arguments = ["trace", *QUICK, "--data-dir", str(images), "--out", str(new), "--beside", str(runs.adam), str(other)]
    assert refusal(arguments, f"{NAME} must be a file that `rawstep trace` wrote, {sentence}|{sentence}", capsys) == 2
    assert not new.exists()


def test_what_recording_costs_is_more_where_more_is_recorded():
    """Would catch a ratio that is turned over, and a copy that does not record. Every step of so small a network, with
    all figures, takes several times as long: 6 times in trials."""
    data, pieces = striped_data(), []

    def record(optimizer):
        return Recorder(optimizer, figures=[*FIGURES])

    trainer = Trainer(replace(GRAPH, epochs=1), data, record)
    for _ in trainer.train():
        pass
    cost = own_cost(trainer, record, pieces.append, lambda: False)
    assert cost.low > 1.5
    assert len(pieces) == PIECES
    assert own_cost(trainer, record, pieces.append, lambda: len(pieces) > PIECES + 2) is None


def test_ctrl_c_keeps_what_was_recorded_until_then(images, tmp_path, monkeypatch, capsys):
    """The signal comes after the first call, of 16 steps, as from a terminal; no cost is measured then. In the compiled
    loop, with little in it."""
    little = ["--figures", "norms", "--layers", "bo", "--follow", "bo[0]"]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    after_call = conduct.RunDisplay.after_call

    def interrupted(display, call):
        after_call(display, call)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(conduct.RunDisplay, "after_call", interrupted)
    out = tmp_path / "out"
    try:
        with pytest.raises(SystemExit) as stop:
            main(["trace", *QUICK, "--data-dir", str(images), "--every", "5", *little, "--out", str(out)])
    finally:
        signal.signal(signal.SIGINT, before)
    assert stop.value.code == 130
    trace = load(out)
    assert f"interrupted; the {len(trace.steps)} records made until then are in {out}." in capsys.readouterr().err
    assert [*trace.steps] == [*range(1, trace.about["steps_taken"] + 1, 5)]
    assert trace.about["steps_taken"] < 64
    assert "was interrupted" in (out / "trace.html").read_text()
    assert trace.about["own_cost"] is None


def test_an_earlier_trace_is_replaced_whole_or_stays(runs, tmp_path):
    """Would catch a half of the new one beside a half of the old one."""
    folder, trace = tmp_path / "trace", runs.traces[runs.adam]
    rule = Adam()
    shutil.copytree(runs.adam, folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(KeyError):
        write_folder(folder, trace._replace(about={}), rule, {})
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["trace"]
    write_folder(folder, runs.traces[runs.adagrad]._replace(columns={"cost": np.zeros(16)}), rule, {})
    assert [*load(folder).columns] == ["cost"]
    assert [path.name for path in tmp_path.iterdir()] == ["trace"]
