"""Command lines into values.

typer is the parser: it decides what a line means, explains what is wrong with one, and writes the help. Importing
it takes longer than a contract call, though, so a plain line (`--name value`, `--name=value`, flags, positional
arguments) is first read by `plain_line`, which gives up on anything else. Both follow the same declarations, and a
test holds that a line which `plain_line` accepts means the same to typer. An option of one value that stands twice is a
mistake to both: whichever of the values counted, somebody would have meant the other.
"""

from typing import Any

from near_tee_cli.cli.parameters import COUNT, FLAG, MANY, VALUE, CommandLine, Given, Parameter
from near_tee_cli.errors import UsageError

HELP_FLAGS = ("--help", "-h")


def parse(line: CommandLine, arguments: list[str]) -> Given:
    """The values on a line. Raises `UsageError` with what is wrong with it."""
    values = plain_line(line, arguments)
    return typer_line(line, arguments) if values is None else values


def plain_line(line: CommandLine, arguments: list[str]) -> dict[str, Any] | None:
    """The values of a line that leaves no room for interpretation, else None."""
    options = {flag: parameter for parameter in line.parameters for flag in parameter.flags}
    values = {parameter.name: _nothing(parameter) for parameter in line.parameters}
    positional: list[str] = []
    index = 0
    while index < len(arguments):
        argument = arguments[index]
        index += 1
        if not argument.startswith("-") or argument == "-":
            positional.append(argument)
            continue
        flag, equals, value = argument.partition("=")
        option = options.get(flag)
        if option is None or (equals and (option.kind in (FLAG, COUNT) or not flag.startswith("--"))):
            return None
        if option.kind == FLAG:
            values[option.name] = True
        elif option.kind == COUNT:
            values[option.name] += 1
        else:
            if not equals:
                if index == len(arguments) or arguments[index].startswith("-"):
                    return None
                value = arguments[index]
                index += 1
            if option.kind == VALUE and values[option.name] is not None:
                return None
            values[option.name] = (*values[option.name], value) if option.kind == MANY else value
    return _with_positional(line, values, positional)


def _nothing(parameter: Parameter) -> Any:
    return {FLAG: False, COUNT: 0, MANY: ()}.get(parameter.kind)


def _with_positional(line: CommandLine, values: dict[str, Any], given: list[str]) -> dict[str, Any] | None:
    rest = list(given)
    for parameter in line.parameters:
        if parameter.flags:
            continue
        if parameter.required and not rest:
            return None
        if parameter.kind == MANY:
            values[parameter.name] = tuple(rest)
            rest = []
        elif rest:
            values[parameter.name] = rest.pop(0)
    return None if rest else values


def typer_line(line: CommandLine, arguments: list[str]) -> Given:
    """The values of any line, read by typer. Raises `UsageError`."""
    import click

    command = typer_command(line, with_aliases=True, gathering=True)
    hint = f"see: near-tee {line.name} --help"
    try:
        with command.make_context(f"near-tee {line.name}", list(arguments)) as context:
            given = context.params
    except click.exceptions.ClickException as error:
        raise UsageError(error.format_message(), hint=hint) from error
    return {parameter.name: _once(parameter, given[parameter.name], hint) for parameter in line.parameters}


def _once(parameter: Parameter, given: Any, hint: str) -> Any:
    """The value of a parameter; an option of one value was gathered as often as it stands."""
    if parameter.kind != VALUE or not parameter.flags:
        return given
    if len(given) > 1:
        flag = parameter.flags[0]
        raise UsageError(f"{flag} is given {len(given)} times, and takes one value", hint=hint, where=flag)
    return given[0] if given else None


def help_text(line: CommandLine, *, rich: bool) -> str:
    """The help of a command; with `rich` it prints itself in colours and the text is empty."""
    import click

    command = typer_command(line, with_aliases=False, rich=rich)
    width = None if rich else 100
    with click.Context(command, info_name=f"near-tee {line.name}", terminal_width=width) as context:
        return str(command.get_help(context))


def typer_command(line: CommandLine, *, with_aliases: bool, gathering: bool = False, rich: bool = False) -> Any:
    """The declarations as a command of typer's; the help is easier to read without the aliases among the flags.

    When `gathering` every value of an option is kept, not the last one alone.
    """
    from typer.core import TyperArgument, TyperCommand, TyperOption

    parameters: list[Any] = []
    for parameter in line.parameters:
        many = parameter.kind == MANY
        if not parameter.flags:
            parameters.append(
                TyperArgument(
                    param_decls=[parameter.name],
                    required=parameter.required,
                    nargs=-1 if many else 1,
                    metavar=parameter.metavar,
                    help=parameter.help,
                    show_default=False,
                )
            )
            continue
        flags = parameter.flags if with_aliases else _main_flags(parameter)
        parameters.append(
            TyperOption(
                param_decls=[parameter.name, *flags],
                is_flag=True if parameter.kind == FLAG else None,
                count=parameter.kind == COUNT,
                multiple=many or (gathering and parameter.kind == VALUE),
                required=parameter.required,
                metavar=parameter.metavar or (" " if rich and parameter.kind == COUNT else None),
                help=parameter.help + _aliases(parameter),
                default={FLAG: False, COUNT: 0}.get(parameter.kind),
                rich_help_panel=parameter.panel or None,
            )
        )
    return TyperCommand(
        line.name,
        params=parameters,
        help=line.description,
        rich_markup_mode="markdown" if rich else None,
        context_settings={"help_option_names": list(HELP_FLAGS)},
    )


def _main_flags(parameter: Parameter) -> tuple[str, ...]:
    """Our own spelling and the short one."""
    return tuple(flag for at, flag in enumerate(parameter.flags) if at == 0 or len(flag) == 2)


def _aliases(parameter: Parameter) -> str:
    others = [flag for flag in parameter.flags if flag not in _main_flags(parameter)]
    return f" (also {', '.join(others)})" if others else ""
