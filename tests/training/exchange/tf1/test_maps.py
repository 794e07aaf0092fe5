"""Which variable is which: maps that are given, proposed, printed and pasted, and those that are refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from training.commands.cli import main
from training.exchange.tf1.checkpoint_index import CheckpointIndex
from training.exchange.tf1.contents import read
from training.exchange.tf1.powers import power
from training.runs.run_folder import RunFolder

from .files import ADAGRAD, ADAM, session_saves, tensors, v1, write, write_images

IMPORT = ["import-tf1", "rnn2.ckpt", "--out", "new", "--data-dir", "images"]
NET = {"Variable": "net/dense/kernel", "Variable_1": "net/dense_1/kernel", "Variable_2": "net/dense/bias",
       "Variable_3": "net/dense_1/bias"}  # fmt: skip
DEFAULTS = "rawstep: no graph beside the file: TensorFlow 1's defaults taken: learning_rate 0.001, epsilon 1e-08"
MAP = ["h1=net/dense/kernel", "ho=net/dense_1/kernel", "b1=net/dense/bias", "bo=net/dense_1/bias"]


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """A folder with images and rnn2.ckpt, three steps of Adam on a network of scopes."""
    folder = tmp_path_factory.mktemp("once")
    session_saves(folder / "unnamed.ckpt", ADAM)
    found = tensors(folder / "unnamed.ckpt")
    for path in folder.glob("unnamed.ckpt*"):
        path.unlink()
    write(folder / "rnn2.ckpt", renamed(found, NET))
    write_images(folder / "images")
    return folder


def renamed(found, names):
    """Variables by other names, and their slots with them."""
    parts = {name: name.partition("/") for name in found}
    return {"".join((names.get(of, of), slash, slot)): found[name] for name, (of, slash, slot) in parts.items()}


def ran(*arguments):
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    return stop.value.code


@pytest.mark.parametrize("given", ["words", "file", "neither"])
def test_a_map_is_given_in_words_or_in_a_file_or_found_and_printed_and_leads_back(workplace, capsys, given):
    """The file that goes back has every tensor of the one that came, to the bit."""
    Path("names.json").write_text(json.dumps(dict(word.split("=") for word in MAP)))
    words = {"words": ["--map", *reversed(MAP)], "file": ["--map", "names.json"], "neither": []}[given]
    assert ran(*IMPORT, *words) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[0] == "Read rnn2.ckpt: layers 16-8-3, slots Adam of adam, step 3."
    took = "" if words else f"rawstep: took --map {' '.join(MAP)}\n"
    assert err == f"{took}{DEFAULTS}\n"
    assert ran("export-tf1", "--checkpoint", "new", "--out", "back.ckpt", "--map", *MAP) == 0
    ours, theirs = tensors("back.ckpt"), tensors("rnn2.ckpt")
    assert {name: value.tobytes() for name, value in ours.items()} == {n: v.tobytes() for n, v in theirs.items()}


def shaped(*shapes, **more):
    return {name: np.zeros(shape, np.float32) for name, shape in {**dict(shapes), **more}.items()}


SQUARE = {"x": (4, 4), "y": (4, 4)}
PROPOSED = {
    "numbers in words": (
        shaped(("W1", (6, 4)), ("b1", 4), ("W2", (4, 4)), ("b2", 4), ("W10", (4, 4)), ("b10", 4), ("W11", (4, 3)),
               ("b11", 3)),
        "W1 W2 W10 W11 b1 b2 b10 b11",
    ),
    "numbers from 0": (shaped(("k0", (4, 4)), ("k1", (4, 4)), ("c0", 4), ("c1", 4)), "k0 k1 c0 c1"),
    "scopes that count": (
        shaped(("a/fc/w", (4, 4)), ("a/fc_1/w", (4, 4)), ("a/fc_2/w", (4, 4)), ("a/fc/b", 4), ("a/fc_1/b", 4),
               ("a/fc_2/b", 4)),
        "a/fc/w a/fc_1/w a/fc_2/w a/fc/b a/fc_1/b a/fc_2/b",
    ),
    "scopes and names that count alike": (
        shaped(("l1/w1", (4, 4)), ("l2/w2", (4, 4)), ("l1/b1", 4), ("l2/b2", 4)), "l1/w1 l2/w2 l1/b1 l2/b2",
    ),
    "shapes alone": (
        shaped(("out", (4, 3)), ("in", (6, 4)), ("p", 3), ("q", 4), ("rate", ()), ("global_step", ())), "in out q p",
    ),
}  # fmt: skip
PROPOSED["shapes alone"][0]["global_step"] = np.asarray(7)


@pytest.mark.parametrize(("held", "names"), PROPOSED.values(), ids=PROPOSED)
def test_the_only_map_that_fits_is_found_by_shapes_and_numbers(tmp_path, held, names):
    """Would catch W10 before W2, and a bias of another layer."""
    write(tmp_path / "net.ckpt", held)
    assert [*read(tmp_path / "net.ckpt").variables.values()] == names.split()


AMBIGUOUS = {
    "words": shaped(("enc", (4, 4)), ("dec", (4, 4)), ("b1", 4), ("b2", 4)),
    "two numbers that disagree": shaped(("t1/w2", (4, 4)), ("t2/w1", (4, 4)), ("b1", 4), ("b2", 4)),
    "one number twice": shaped(("t1/w1", (4, 4)), ("t1/w1_0", (4, 4)), ("b1", 4), ("b2", 4)),
}


@pytest.mark.parametrize("held", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_what_nothing_orders_is_not_guessed(tmp_path, held):
    write(tmp_path / "net.ckpt", held)
    with pytest.raises(
        ValueError, match=r"all of the shape \[4, 4\], and nothing shows their order: each could be any"
    ):
        read(tmp_path / "net.ckpt")


def test_a_graph_beside_the_file_orders_what_names_do_not(tmp_path):
    """As it was created, and not what is not trained; the names say the reverse."""
    with v1.Graph().as_default(), v1.Session() as session:
        zeros = np.zeros((4, 4), np.float32)
        made = [v1.Variable(zeros, name=name, use_resource=True) for name in ("w2", "other", "w1")]
        made += [v1.Variable(zeros[0], name=name, use_resource=True) for name in ("z", "a", "m")]
        v1.Variable(zeros[0], name="counts", trainable=False, use_resource=True)
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, str(tmp_path / "net.ckpt"))
    assert [*read(tmp_path / "net.ckpt").variables.values()] == ["w2", "other", "w1", "z", "a", "m"]
    (tmp_path / "net.ckpt.meta").unlink()
    with pytest.raises(ValueError, match="no single map of names fits: a perceptron has as many matrices as vectors"):
        read(tmp_path / "net.ckpt")


def test_slots_and_averages_are_told_apart_from_variables(tmp_path):
    """Of optimizers of every kind, in a scope and by names of the user's own."""
    path, train = tmp_path / "net.ckpt", v1.train
    makers = [train.RMSPropOptimizer, train.AdamOptimizer, train.FtrlOptimizer, train.ProximalAdagradOptimizer]
    with v1.Graph().as_default(), v1.Session() as session:
        w = v1.get_variable("net/w", [4, 3])
        cost = v1.reduce_sum(w**2)
        for make in makers:
            with v1.variable_scope("train"):
                make(0.1).minimize(cost)
        train.MomentumOptimizer(0.1, 0.9, name="Heavy").minimize(cost)
        train.ExponentialMovingAverage(0.9).apply([w])
        session.run(v1.global_variables_initializer())
        train.Saver().save(session, str(path), write_meta_graph=False)
    index = CheckpointIndex(path)
    assert index.candidates == ["net/w"]
    assert [of.name for of in index.sets] == ["train/Adam", "train/RMSProp", "train/Ftrl"]
    assert [of.name for of in index.averages] == ["ExponentialMovingAverage"]
    assert index.listed == (
        "the variables net/w [4, 3] float32; slots and averages train/Adam, train/RMSProp, train/Ftrl, "
        "ExponentialMovingAverage; what is neither, net/w/Heavy [4, 3], train/net/w/ProximalAdagrad [4, 3], all float32"
    )


def change(**values):
    """Writes rnn2.ckpt anew, with other tensors beside or in the place of its own; None takes one out."""

    def prepare():
        found = tensors("rnn2.ckpt") | {name.replace("__", "/"): value for name, value in values.items()}
        write("rnn2.ckpt", {name: value for name, value in found.items() if value is not None})

    return prepare


def momentum():
    """The same network with slots of Momentum alone."""

    def prepare():
        found = tensors("rnn2.ckpt")
        weights = {name: value for name, value in found.items() if name in NET.values()}
        write("rnn2.ckpt", {**weights, **{f"{name}/Momentum": np.zeros_like(value) for name, value in weights.items()}})

    return prepare


def rmsprop(number):
    """The same network with slots of RMSProp, this many of each variable."""

    def prepare():
        weights = {name: value for name, value in tensors("rnn2.ckpt").items() if name in NET.values()}
        slots = {f"{n}/RMSProp{f'_{k}' if k else ''}": v for n, v in weights.items() for k in range(number)}
        write("rnn2.ckpt", {**weights, **slots})

    return prepare


def wide():
    found = tensors("rnn2.ckpt")
    write("rnn2.ckpt", {n: v if "power" in n else v.astype(np.float64) for n, v in found.items()})


def averages():
    found = tensors("rnn2.ckpt")
    more = {f"{name}/{ending}": found[name] for name in NET.values() for ending in
            ("ExponentialMovingAverage", "ExponentialMovingAverage_1")}  # fmt: skip
    write("rnn2.ckpt", {**found, **more})


def text(name, content):
    return lambda: Path(name).write_text(content)


UNKNOWN_BETAS = {"beta1_power": power(0.123456, 3), "beta2_power": power(0.987654, 3)}
REFUSED = {
    "a word without =": (None, ["--map", *MAP, "w"], "--map takes words such as h1=net/dense/kernel, or one file of"),
    "no file": (None, ["--map", "absent.json"], "--map absent.json: the file cannot be read: No such file"),
    "no JSON": (text("m.json", "h1"), ["--map", "m.json"], "--map m.json: the file is not JSON: "),
    "no object": (text("m.json", "[1]"), ["--map", "m.json"], "m.json: the file must hold one object of names, such"),
    "a name twice in JSON": (
        text("m.json", '{"h1": "a", "h1": "b"}'), ["--map", "m.json"], "m.json: the file names h1 twice: a and b.",
    ),
    "a name twice": (None, ["--map", "h1=a", "h1=b"], "--map names h1 twice: a and b."),
    "two to one": (None, ["--map", *MAP[:3], f"bo={NET['Variable_2']}"], "--map leads b1 and bo to one variable, net/"),
    "not in the file": (
        None, ["--map", *MAP[:3], "bo=net/dense_2/bias"],
        "--map: rnn2.ckpt has no net/dense_2/bias; it has the variables net/dense/bias [8], ",
    ),
    "an unknown name": (None, ["--map", *MAP, "w=x"], "a perceptron with as many layers has no variable w; it has h1"),
    "a name is missing": (None, ["--map", *MAP[:3]], "a perceptron with as many layers; bo is missing."),
    "an unknown name of another workload": (
        None, ["--map", *MAP, "--workload", "cnn"], "--map: cnn has no variable h1; it has ",
    ),
    "shapes of no network": (
        None, ["--map", *MAP[2:], "h1=net/dense_1/kernel", "ho=net/dense/kernel"],
        "the shapes of h1, ho, b1, bo must chain into one network; found net/dense_1/kernel [8, 3], ",
    ),
    "other layers than asked for": (
        None, ["--map", *MAP, "--hidden", "9"], "net/dense/kernel has the shape [16, 8], but h1 of mlp has [16, 9].",
    ),
    "no floats": (
        change(net__dense__bias=np.arange(8)), ["--map", *MAP], "has net/dense/bias of int64; expected floats.",
    ),
    "a slot that is not whole": (
        change(net__dense__bias__Adam=None), [], "the slots Adam are not whole: net/dense/bias/Adam is missing.",
    ),
    "momentum unsaid": (momentum(), ["--learning-rate", "1"], "holds no momentum, as no TF1 checkpoint does, and Te"),
    "a rate unsaid": (momentum(), ["--momentum", "0.9"], "and momentum has none of its own: give --learning-rate."),
    "a group beside slots": (None, ["--group", "biases:sgd,learning_rate=1"], "--group: the slots Adam are of one"),
    "Nesterov's of Adagrad": (
        lambda: session_saves("rnn2.ckpt", ADAGRAD), ["--nesterov"], "--nesterov needs slots of Momentum or Adam, ",
    ),
    "RMSProp of either kind": (
        rmsprop(6), ["--learning-rate", "1", "--slots", "RMSProp"], "has 6 slots RMSProp for a variable, and an opti"
    ),
    "RMSProp of both kinds": (
        rmsprop(5), ["--learning-rate", "1", "--slots", "RMSProp"], "has 5 slots RMSProp for a variable, and an opti"
    ),
    "float64 unasked": (wide, [], "net/dense/kernel is float64, and the run's is float32: --round rounds what is"),
    "a weight that is no number": (
        change(net__dense__bias=np.full(8, np.nan, np.float32)), [], "rnn2.ckpt: net/dense/bias must be finite, found",
    ),
    "a slot that is not finite": (
        change(net__dense__bias__Adam=np.full(8, np.inf, np.float32)), [], "net/dense/bias/Adam must be finite, found",
    ),
    "a weight beyond float32": (
        change(net__dense__bias=np.full(8, 1e300)), ["--round"], "net/dense/bias has 1e+300, which is beyond float32.",
    ),
    "β that nothing shows": (
        change(**UNKNOWN_BETAS), [], "is no power of β = 0.9 that any step leaves; nearest is step 78's, ",
    ),
    "β of a schedule": (
        None, ["--beta-1", "polynomial:0.9,steps=9,end=0.5"], "--beta-1 must be a number, by whose powers TensorFlow 1",
    ),
    "several averages": (
        averages, ["--ema", "0.9"], "--ema goes on with one average of each variable, found ExponentialMovingAverage, ",
    ),
    "a graph that is none": (text("rnn2.ckpt.meta", "text"), [], "rnn2.ckpt.meta must be the graph that Saver wrote"),
    "--slots none alone": (None, ["--slots", "none"], "--slots none leaves all slots out: give --rule for what"),
    "an unknown workload": (None, ["--workload", "mpl"], "There is no workload 'mpl'; there are: "),
    "an unknown setting": (None, ["--beta-3", "1"], "import-tf1 has no option --beta-3, nor has Adam or mlp such a"),
}  # fmt: skip


@pytest.mark.parametrize(("prepare", "arguments", "words"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused_in_one_sentence_and_nothing_is_written(
    workplace, capfd, prepare, arguments, words
):
    if prepare is not None:
        prepare()
    before = {path: path.read_bytes() for path in workplace.rglob("*") if path.is_file()}
    capfd.readouterr()
    status = ran(*IMPORT, *arguments)
    out, err = capfd.readouterr()
    assert (status, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert words in err
    assert {path: path.read_bytes() for path in workplace.rglob("*") if path.is_file()} == before
    assert not Path("new").exists()


def test_what_is_left_out_is_said(workplace, capsys):
    """Averages that nobody asks for, other slots, and variables that the network lacks."""
    averages()
    change(epoch=np.asarray(4), net__dense__bias__Adagrad=np.ones(8, np.float32))()
    assert ran(*IMPORT, "--slots", "Adam") == 0
    assert capsys.readouterr().err.splitlines()[1:] == [
        DEFAULTS,
        "rawstep: left out: the slots Adagrad",
        "rawstep: left out: the averages ExponentialMovingAverage, ExponentialMovingAverage_1 of the variables (--ema "
        "DECAY goes on with them)",
        "rawstep: left out: epoch [] int64",
    ]


AUTOENCODER = ["--workload", "autoencoder", "--units", "6", "2"]


@pytest.mark.parametrize("words", [[], ["--map", *(f"{part}{n}={part}/{n}" for n in "123o" for part in "hb")]])
def test_another_workload_has_its_variables_by_shapes_and_numbers_or_by_a_map(workplace, capsys, words):
    """16-6-2-6-16: b1 and b3 are of one shape, and in the file of names that numbers order, or nothing but the map."""
    random, last = np.random.default_rng(0), "o" if words else "4"
    shapes = {"h": [(16, 6), (6, 2), (2, 6), (6, 16)], "b": [(6,), (2,), (6,), (16,)]}
    held = {
        f"{part}/{number}": random.standard_normal(shape).astype(np.float32)
        for part, of in shapes.items()
        for number, shape in zip(f"123{last}", of, strict=True)
    }
    write("rnn2.ckpt", held)
    assert ran(*IMPORT, *AUTOENCODER, "--rule", "adam", *words) == 0
    assert "Read rnn2.ckpt: 16-6-2-6-16, new slots of adam, step 0." in capsys.readouterr().out
    found = RunFolder(Path("new")).newest().tensors
    for name, value in held.items():
        ours = name.replace("/", "").replace("4", "o")
        assert found[f"weights/{ours}"].tobytes() == value.tobytes()
    assert ran("export-tf1", "--checkpoint", "new", "--out", "back.ckpt") == 2
    assert (
        "must be of a perceptron, mlp or regression, to be exported without --map or --like" in capsys.readouterr().err
    )
    assert ran("export-tf1", "--checkpoint", "new", "--out", "back.ckpt", "--named") == 0


def test_a_rule_starts_afresh_where_slots_are_left_out_by_name(workplace, capsys):
    assert ran(*IMPORT, "--slots", "none", "--rule", "adamw") == 0
    out, err = capsys.readouterr()
    assert "new slots of adamw, step 0." in out
    assert "rawstep: left out: the slots Adam\n" in err
    assert not RunFolder(Path("new")).newest().tensors["optimizer/slots/h1/m"].any()


@pytest.mark.parametrize("words", [["--centered"], ["--centered", "true"]])
def test_six_slots_of_rmsprop_are_those_of_two_centered_ones_where_that_is_said(workplace, capsys, words):
    rmsprop(6)()
    assert ran(*IMPORT, "--learning-rate", "1", "--slots", "RMSProp_3", *words) == 0
    assert "slots RMSProp_3 of rmsprop" in capsys.readouterr().out
    assert RunFolder(Path("new")).newest().tensors.keys() >= {"optimizer/slots/h1/v", "optimizer/slots/h1/mean_g"}
