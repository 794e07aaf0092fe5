"""What was given wrongly on a command line, in a sentence that says what can be given instead."""

from collections.abc import Sequence
from functools import reduce

from cyclopts import App, ArgumentCollection, CoercionError, CycloptsError, MissingArgumentError, UnknownOptionError
from cyclopts.exceptions import UnknownCommandError, UnusedCliTokensError

from ..runs.own_options import NoSuchSettingError
from ..workloads.misfits import did_you_mean, misfit


def sentence(error: CycloptsError, app: App) -> str:
    """What to print for an error of the command line `app`."""
    command = " ".join(error.command_chain or [app.name[0]])
    match error:
        case UnknownCommandError(unused_tokens=[name, *_]):
            commands = [one for one in app if not one.startswith("-") and app[one].show]
            return f"There is no command {name!r}; there are: {', '.join(commands)}.{did_you_mean(name, commands)}"
        case UnusedCliTokensError(unused_tokens=[name, *_]):
            arguments = reduce(App.__getitem__, error.command_chain or (), app).assemble_argument_collection()
            return f"{command} takes no argument {name!r}.{_advice(name, arguments, app, command)}"
        case UnknownOptionError():
            option = (error.token.keyword or error.token.value).partition("=")[0]
            return f"{command} has no option {option}.{_advice(option, error.argument_collection, app, command)}"
        case MissingArgumentError(argument=argument) if argument is not None:
            given = error.keyword or next((token.keyword for token in argument.tokens if token.keyword), None)
            return f"{given} needs a value." if given else f"{command} needs {argument.name}."
        case CoercionError(argument=argument) if argument is not None:
            return misfit(error, argument.name)
    return str(error)


def no_such_setting(error: NoSuchSettingError, app: App, arguments: Sequence[str]) -> str:
    """What to print for an option that is neither the command's nor a setting of its rule."""
    command = next(one for one in arguments if one in app)
    own = app[command].assemble_argument_collection()
    said = f"{command} has no option {error.option}, nor has {error.of} such a setting."
    return f"{said}{_advice(error.option, own, app, command, error.known)}"


def _advice(given: str, arguments: ArgumentCollection, app: App, command: str, settings: Sequence[str] = ()) -> str:
    """The option that was probably meant, among the command's and the settings of its rule; all where none is close."""
    names = [name for argument in arguments if argument.parse for name in argument.names if name.startswith("--")]
    names += [name for name in settings if name not in names]
    meant = did_you_mean(given.lstrip("-"), [name.removeprefix("--") for name in names])
    if meant:
        return meant.replace("mean ", "mean --")
    shown = [argument.name for argument in arguments if argument.name in names and "[" not in argument.name]
    shown += [name for name in settings if name not in shown]
    return f" Its options: {', '.join(shown)}; see {app.name[0]} {command} --help."
