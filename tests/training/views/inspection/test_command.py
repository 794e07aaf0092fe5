"""`rawstep inspect` as a person runs it, and its page in a real browser."""

import contextlib
import io
import json

import pytest

from training.commands.cli import main

from ...browsing import check_page, needs_chromium

SMALL = ["inspect", "--hidden", "16", "--batch-size", "20", "--init", "he", "--steps", "5",
         "--rule", "adagrad", "--learning-rate", "0.01", "--clip-global-norm", "1", "--ema", "0.9"]  # fmt: skip
CHARTS = ["traffic", "arithmetic", "ladder"]
ROWS = "document.querySelectorAll('#{} tr').length - 1"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The folder with all that it writes of a small network, and what it printed."""
    folder, printed = tmp_path_factory.mktemp("inspect"), io.StringIO()
    files = [f"--{name}={folder / f'step.{name}'}" for name in ("json", "html", "hlo", "stablehlo")]
    with contextlib.redirect_stdout(printed), pytest.raises(SystemExit) as end:
        main([*SMALL, "--rounds", "2", "--compilations", "1", *files])
    assert end.value.code == 0
    return folder, printed.getvalue()


@pytest.fixture(scope="module")
def figures(written):
    return json.loads((written[0] / "step.json").read_text())


@pytest.fixture
def open_inspection(open_page, written):
    ready = f"document.querySelectorAll('.main-svg .xtick').length >= {len(CHARTS)}"
    return lambda **window: open_page(written[0] / "step.html", ready, **window)


def test_tables_and_sentences_are_printed(written, figures):
    _, printed = written
    for name in [*figures["step"]["phases"], *(rung["execution"] for rung in figures["ladder"])]:
        assert f"\n  {name} " in printed
    assert "adagrad (tf1) on 784-16-10, batches of 20, xla-loop" in printed
    assert "Drift in 5 steps, from the first values of mlp --hidden 16 --init he by seed 0" in printed
    assert "XLA knows how often the loop over steps runs: 5 times." in printed
    assert "13 of 13 variables are updated in place." in printed
    assert f"A step launches {sum(figures['step']['whole']['launches'].values())} kernels: " in printed


def test_all_figures_are_in_the_json(figures):
    """784 · 16 and 16 · 10 weights, 26 biases; Adagrad and the average have a slot each, and the norm needs all
    gradients before their use, so 32 B a parameter are the least."""
    assert figures["settings"]["workload_options"]["hidden"] == [16]
    assert figures["command"].startswith("rawstep")
    assert figures["steps"] == figures["step"]["trip_count"] == 5
    assert figures["step"]["phases"]["update"]["least"]["bytes"] == 32 * (784 * 16 + 16 * 10 + 26)
    assert figures["step"]["whole"]["flop"]["products"] == 2 * 20 * (2 * 784 * 16 + 3 * 16 * 10)
    assert [rung["execution"] for rung in figures["ladder"]] == ["eager", "graph", "xla-step", "xla-loop"]


def test_each_piece_has_a_rung_of_what_the_update_moves_with_it(written, figures):
    """A clip reads the gradient once more; an average is read and written, and so is the parameter once more read."""
    alone, clipped, averaged = figures["pieces"]
    assert [piece["name"] for piece in figures["pieces"]] == ["adagrad", "clip_by_global_norm", "average"]
    assert alone["ratio"]["median"] == 1
    assert 1 < clipped["passes"] - alone["passes"] < 1.2
    assert averaged["passes"] - clipped["passes"] == pytest.approx(3, abs=0.05)
    assert averaged["read"] + averaged["written"] == sum(
        figures["step"]["phases"]["update"][way] for way in ("read", "written")
    )
    assert "\n  + clip_by_global_norm " in written[1]


def test_both_programs_are_written(written):
    folder, _ = written
    assert (folder / "step.hlo").read_text().startswith("HloModule ")
    assert "input_output_alias" in (folder / "step.hlo").read_text()
    assert "stablehlo.while" in (folder / "step.stablehlo").read_text()


@needs_chromium
def test_the_page_shows_every_kernel_variable_and_rung(open_inspection, figures):
    page, step = open_inspection(), figures["step"]
    for chart in CHARTS:
        assert page.locator(f"#{chart} .trace").count() >= 3, chart
    assert page.locator("#conclusions").inner_text().startswith("A step launches ")
    for table in ("launches", "work"):
        assert page.evaluate(ROWS.format(table)) == len(step["phases"]) + 1
    assert page.evaluate(ROWS.format("pieces")) == len(figures["pieces"])
    assert page.evaluate(ROWS.format("kernels")) == len(step["kernels"])
    assert page.evaluate(ROWS.format("variables")) == len(step["variables"]) == 13
    for table in ("times", "drifts"):
        assert page.evaluate(ROWS.format(table)) == len(figures["ladder"]) == 4
    assert not page.locator("pre").is_visible()
    for summary in page.locator("summary").all():
        summary.click()
    assert page.locator("pre").inner_text().startswith("HloModule ")
    check_page(page)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--execution", "eager"], "mlp runs as eager here: give --execution xla-step, or xla-loop."),
        (["--epochs", "3"], "--epochs means nothing here"),
        (["--steps", "1"], "--steps"),
        (["--rounds", "1"], "--rounds"),
        (["--rule", "adamm"], "There is no rule 'adamm'"),
        (["--batch-size", "0"], "The batch size must be between 1 and"),
        (["--html", "there/page.html"], "there/page.html cannot be written: No such file or directory."),
        (["--hlo", "one", "--stablehlo", "one"], "one is given for two things that are written."),
    ],
    ids=lambda part: part[0] if isinstance(part, list) else "",
)
def test_what_cannot_be_ends_in_one_sentence_and_writes_nothing(arguments, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        main(["inspect", "--json", "figures.json", "--no-ladder", *arguments])
    said = capsys.readouterr().err
    assert end.value.code == 2
    assert sentence in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
