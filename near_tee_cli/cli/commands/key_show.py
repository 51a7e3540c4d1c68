"""`key show`: the public half of a key in a file."""

from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.parameters import OUTPUT, CommandLine, Given, Parameter
from near_tee_cli.cli.report import Report

LINE = CommandLine(
    name="key show",
    summary="the public half of a key",
    description="Show the public key that belongs to the secret key in FILE. The secret key itself is never shown.",
    parameters=(Parameter("file", (), "The file of the key.", "FILE", required=True), *OUTPUT),
)


def execute(given: Given) -> Report:
    """Show a public key. Raises `BadInputError`."""
    from near_tee_cli.cli.key_file import read_secret_key
    from near_tee_cli.primitives.keys import public_key_text

    public_key = public_key_text(read_secret_key(given["file"]).public_key())
    return Report(exit_codes.OK, {"path": given["file"], "public_key": public_key}, lambda _: [public_key])
