"""`attest register`: the call that registers a worker's key at OutLayer's registration contract."""

from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.parameters import OUTPUT, CommandLine, Given, Parameter
from near_tee_cli.cli.report import Report
from near_tee_cli.errors import BadInputError, UsageError

LINE = CommandLine(
    name="attest register",
    summary="the call that registers a worker's key at OutLayer",
    description="Write method and arguments of the call that registers KEY with QUOTE, whose report data have to begin"
    " with it (profiles near-tee-v1 and raw-ed25519). The contract itself checks the quote against its collateral and"
    " its list of measurements.",
    parameters=(
        Parameter("quote", (), "The quote, in any form.", "QUOTE", required=True),
        Parameter("public_key", ("--public-key",), "The key, as ed25519:...", "KEY"),
        *OUTPUT,
    ),
)


def execute(given: Given) -> Report:
    """Make the call. Raises `UsageError`, `BadInputError`, and `EvidenceError` for a quote that binds another key."""
    from near_tee_cli.cli import files
    from near_tee_cli.primitives.keys import public_key_from_text
    from near_tee_cli.sources.quote_files import read_quote_file
    from near_tee_cli.worker.outlayer_answers import register_worker_key

    if given["public_key"] is None:
        raise UsageError("which key?", where="--public-key", hint="--public-key ed25519:...")
    try:
        key = public_key_from_text(given["public_key"])
    except BadInputError as error:
        raise UsageError(f"--public-key: {error.message}", where="--public-key") from error
    data = files.read(given["quote"], "the quote", max_bytes=files.MAX_ARGS_BYTES)
    call = register_worker_key(key, read_quote_file(data, "the quote").evidence.quote)
    result = {"method": call.method, "args": call.args.decode()}
    return Report(exit_codes.OK, result, lambda _: [f"{result['method']} {result['args']}"])
