"""The command by which a trained network leaves rawstep. It imports what it needs when it runs."""

from itertools import permutations

from cyclopts import CycloptsError

from ..output.terminal import say
from ..workloads.options import Best, FilePath, Raw


def export(
    *,
    checkpoint: FilePath,
    best: Best = False,
    raw: Raw = False,
    saved_model: FilePath | None = None,
    keras: FilePath | None = None,
    stablehlo: FilePath | None = None,
) -> None:
    """Write a run for others: its model as a SavedModel or a Keras file, its next epoch as a StableHLO program.

    Of its newest checkpoint, with the average of the weights where the run has one. Both models take inputs as the
    workload's data are, such as rows of grey levels from 0 to 255 of images, and return the workload's outputs, such as
    the probability of each class. Neither needs rawstep; the SavedModel needs no Keras either. The program is the next
    epoch as TensorFlow compiles it, which JAX runs where there is no TensorFlow.

    Examples:

    - `rawstep export --checkpoint run --saved-model served`: for TensorFlow alone, and TensorFlow Serving
    - `rawstep export --checkpoint run --keras model.keras`: for `keras.models.load_model`
    - `rawstep export --checkpoint run --best --saved-model served`: of its best epoch, which --keep-best kept
    - `rawstep export --checkpoint run --stablehlo epoch`: for `python benchmarks/pjrt.py epoch`, on a GPU perhaps

    Parameters
    ----------
    checkpoint
        The folder of the run.
    saved_model
        Write a SavedModel to this folder, which must not be there yet. Its signature serving_default takes the inputs
        and returns the workload's outputs by name: of mlp, from images to probabilities and classes.
    keras
        Write a model of Keras's own layers to this file, a .keras.
    stablehlo
        Write the next epoch to this folder, which must not be there yet: the StableHLO of the whole loop, its
        arguments, the training examples among them, and its results as TensorFlow computes them here.
    """
    places = [path for path in (saved_model, keras, stablehlo) if path is not None]
    if not places:
        raise CycloptsError("There is nothing to write: give --saved-model DIR, --keras FILE.keras or --stablehlo DIR.")
    from core import InputError

    from ..exchange.serving import (
        ServedModel,
        check_keras_file,
        check_saved_model,
        inputs_of,
        keras_file,
        write_saved_model,
    )
    from ..exchange.stablehlo import epoch_program, write_epoch_program
    from ..output.files import check_apart, check_new_folder, write_whole
    from ..output.outputs import outputs
    from ..runs.run_folder import RunFolder

    check_apart(*places)
    for above, below in permutations(places, 2):
        if above.absolute() in below.absolute().parents:
            what = "a file" if above == keras else "a new folder"
            raise InputError(f"{above} cannot be {what}, since {below} would be inside it.")
    if saved_model is not None:
        check_saved_model(saved_model)
    if keras is not None:
        check_keras_file(keras)
    if stablehlo is not None:
        check_new_folder(stablehlo)
    state = RunFolder(checkpoint).chosen(best)
    values, served = state.served(raw)
    exported = f"{state}, with {served}" if served else str(state)
    workload = state.workload
    inputs = inputs_of(state, workload)
    # A workload may lack what is asked for, Keras be unusable, the data be gone: all found before anything is written.
    model = None if saved_model is None else ServedModel(workload, values, inputs)
    content = None if keras is None else keras_file(workload, values, inputs)
    program = None if stablehlo is None else epoch_program(state)
    with outputs() as attempt:
        if saved_model is not None and attempt(write_saved_model, saved_model, model):
            attempt(say, f"{saved_model}: a SavedModel of {exported}")
        if keras is not None and attempt(write_whole, keras, content):
            attempt(say, f"{keras}: a Keras model of {exported}")
        if stablehlo is not None and attempt(write_epoch_program, stablehlo, program):
            attempt(say, f"{stablehlo}: the next epoch of {state}")
