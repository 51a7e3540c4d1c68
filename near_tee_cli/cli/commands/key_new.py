"""`key new`: a key that signs bundles, in a file of its own."""

from typing import Any

from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.parameters import OUTPUT, CommandLine, Given, Parameter
from near_tee_cli.cli.report import Report
from near_tee_cli.cli.terminal import plain

ACCOUNT = Parameter(
    "account_id", ("--account-id",), "The account that it is a key of; only noted in the file.", "ACCOUNT"
)

LINE = CommandLine(
    name="key new",
    summary="a new key in a file that only you may read",
    description="Make an Ed25519 key and write it to FILE, in the form that NEAR's tools keep credentials in. Nothing"
    " is ever replaced; directories that are missing are made for you alone. keyring:NAME keeps it in the platform's"
    " keyring instead, wherever a key file is asked for.",
    parameters=(
        Parameter("file", (), "Where the key goes.", "FILE", required=True),
        ACCOUNT,
        *OUTPUT,
    ),
)


def execute(given: Given) -> Report:
    """Make a key. Raises `UsageError` and `WriteError`."""
    from near_tee_cli.cli.key_file import new_secret_key

    return keep(new_secret_key(), given["file"], given["account_id"])


def keep(key: Any, path: str, account_id: str | None) -> Report:
    """Write a key to a file of its own and say which it is."""
    from near_tee_cli.cli import units
    from near_tee_cli.cli.key_file import keep_secret_key
    from near_tee_cli.primitives.keys import public_key_text

    account = None if account_id is None else units.account(account_id, "--account-id")
    keep_secret_key(key, path, account)
    public_key = public_key_text(key.public_key())
    result = {"path": path, "public_key": public_key, "account_id": account}
    return Report(
        exit_codes.OK, result, lambda audience: [public_key if audience.quiet else f"{public_key}  {plain(path)}"]
    )
