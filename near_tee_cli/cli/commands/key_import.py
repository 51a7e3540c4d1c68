"""`key import`: a key that another tool keeps, in a file of its own."""

from near_tee_cli.cli.commands.key_new import ACCOUNT, keep
from near_tee_cli.cli.parameters import OUTPUT, CommandLine, Given, Parameter
from near_tee_cli.cli.report import Report

LINE = CommandLine(
    name="key import",
    summary="a key of another tool in a file of its own",
    description="Read the key in CREDENTIALS (a file of near-cli or near-cli-rs, or a plain `ed25519:...`), which"
    " stays as it is, and write it to FILE, with the account that it is a key of. A file that holds two keys, or the"
    " public key of another one, is refused.",
    parameters=(
        Parameter("credentials", (), "The file that holds the key.", "CREDENTIALS", required=True),
        Parameter("file", (), "Where the key goes.", "FILE", required=True),
        ACCOUNT,
        *OUTPUT,
    ),
)


def execute(given: Given) -> Report:
    """Take a key over. Raises `BadInputError`, `UsageError` and `WriteError`."""
    from near_tee_cli.attest.trust import require_strict_key
    from near_tee_cli.cli.key_file import read_credentials

    key, account_id = read_credentials(given["credentials"])
    require_strict_key(key.public_key())
    return keep(key, given["file"], given["account_id"] or account_id)
