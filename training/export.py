"""The command by which a trained network leaves rawstep. It imports what it needs when it runs."""

from cyclopts import CycloptsError

from .options import FilePath


def export(*, checkpoint: FilePath, saved_model: FilePath | None = None, keras: FilePath | None = None) -> None:
    """Write the network of a run's newest checkpoint for others: as a SavedModel, as a Keras file, or both.

    Both take images as the IDX files have them, a row of grey levels from 0 to 255 each, and give the probability of
    each class. Neither needs rawstep; the SavedModel needs no Keras either.

    Examples:

    - `rawstep export --checkpoint run --saved-model served`: for TensorFlow alone, and TensorFlow Serving
    - `rawstep export --checkpoint run --keras model.keras`: for `keras.models.load_model`

    Parameters
    ----------
    checkpoint
        The folder of the run.
    saved_model
        Write a SavedModel to this folder, which must not be there yet. Its signature serving_default takes images
        and gives probabilities and classes.
    keras
        Write a model of Keras's own layers to this file, a .keras.
    """
    if saved_model is None and keras is None:
        raise CycloptsError("There is nothing to write: give --saved-model DIR, --keras FILE.keras or both.")
    from core import InputError

    from .files import check_apart, write_whole
    from .run_folder import RunFolder
    from .serving import ServedModel, check_keras_file, check_saved_model, keras_file, write_saved_model

    check_apart(saved_model, keras)
    if saved_model is not None and keras is not None and keras.absolute() in saved_model.absolute().parents:
        raise InputError(f"{keras} cannot be a file, since {saved_model} is to lie below it.")
    if saved_model is not None:
        check_saved_model(saved_model)
    if keras is not None:
        check_keras_file(keras)
    newest = RunFolder(checkpoint).newest()
    # Keras may be unusable: found out before anything is written.
    content = None if keras is None else keras_file(newest.weights)
    if saved_model is not None:
        write_saved_model(saved_model, ServedModel(newest.weights))
        print(f"{saved_model}: a SavedModel of {newest}")
    if keras is not None and content is not None:
        write_whole(keras, content)
        print(f"{keras}: a Keras model of {newest}")
