"""`sign`: vouch for a bundle, after holding it against everything that a verifier holds it against."""

from typing import Any

from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.parameters import COMPILER, FLAG, OUTPUT, CommandLine, Given, Parameter
from near_tee_cli.cli.repeating import CODES, MAX_GAS, TIME_LIMIT, codes_of, max_gas_of, time_limit_of
from near_tee_cli.cli.report import Audience, Report
from near_tee_cli.cli.terminal import BOLD, GREEN, plain
from near_tee_cli.errors import BadInputError, EvidenceError, NearTeeError, UndecidedError

LINE = CommandLine(
    name="sign",
    summary="vouch for a proof bundle with a key of yours",
    description="Sign the claim of BUNDLE, in an envelope and as a compact signature for contracts, and write it with"
    " the signature to another file. The bundle is verified first, by default by executing it again in a process"
    " without the key: nobody should vouch for what they have not seen. Several keys sign one after another.",
    parameters=(
        Parameter("bundle", (), "The bundle.", "BUNDLE", required=True),
        Parameter("key", ("--key", "--sign-with"), "The file of the key that signs.", "FILE", required=True),
        Parameter("out", ("--out", "-o"), "Where the signed bundle goes.", "BUNDLE", required=True),
        Parameter("no_replay", ("--no-replay",), "Execute nothing: sign a claim that is consistent.", kind=FLAG),
        CODES,
        TIME_LIMIT,
        MAX_GAS,
        Parameter("force", ("--force",), "Replace a file that exists.", kind=FLAG),
        COMPILER,
        *OUTPUT,
    ),
)


_ERRORS: dict[int, type[NearTeeError]] = {
    exit_codes.VERIFY_FAILED: EvidenceError,
    exit_codes.VERIFY_INCONCLUSIVE: UndecidedError,
    exit_codes.BAD_INPUT: BadInputError,
}
"""What stops the command, by the exit code of `verify`."""


def execute(given: Given) -> Report:
    """Sign what a line names. Raises `BadInputError`, `EvidenceError`, `UndecidedError` and `WriteError`."""
    from near_tee_cli.cli import files
    from near_tee_cli.cli.claims import bundle_json
    from near_tee_cli.cli.key_file import read_secret_key, require_secret_key
    from near_tee_cli.cli.outputs import require_free
    from near_tee_cli.primitives.keys import public_key_text
    from near_tee_cli.proof.bundle import decode_bundle, encode_bundle
    from near_tee_cli.proof.signatures import sign_bundle
    from near_tee_cli.workspace.atomic import write_file

    require_free(given["out"], force=given["force"], key=given["key"])
    require_secret_key(given["key"])
    data = files.read(given["bundle"], "the bundle", max_bytes=files.MAX_BUNDLE_BYTES)
    said = _require_true(data, given)
    # NOTE: only now, when no child works any more, because a child sees what its parent has in memory
    key = read_secret_key(given["key"])
    signed = encode_bundle(sign_bundle(decode_bundle(data), public_key=key.public_key(), sign=key.sign_bytes))
    write_file(given["out"], signed, overwrite=given["force"])
    result = {
        "path": given["out"],
        **bundle_json(signed, decode_bundle(signed).claim),
        "signer": public_key_text(key.public_key()),
    }
    return Report(exit_codes.OK, result, lambda audience: _lines(result, audience), **said)


def _require_true(data: bytes, given: Given) -> dict[str, Any]:
    """Refuse what does not verify, as `verify` judges it; gives `engine` and `warnings` of the report.

    Raises `BadInputError`, `EvidenceError` and `UndecidedError`.
    """
    from near_tee_cli.cli.isolated import executor as isolated
    from near_tee_cli.cli.verifying import exit_of
    from near_tee_cli.proof.report import Verdict
    from near_tee_cli.proof.verifier import DEFAULT_REQUIRED, NO_REPLAY, Demands, begin

    required = NO_REPLAY if given["no_replay"] else DEFAULT_REQUIRED
    begun = begin(data, Demands(required, codes_of(given["codes"]), max_gas_of(given["max_gas"], None)))
    executor = isolated(given["compiler"], seconds=time_limit_of(given["time_limit"], None))
    report = begun.report(begun.execute(executor) if begun.wants_execution else None)
    if report.verdict is not Verdict.ESTABLISHED:
        kind = _ERRORS[exit_of(report)]
        raise kind(f"this bundle is not signed: {report.message}", code=report.code, where=given["bundle"])
    return {"engine": executor.said.get("engine"), "warnings": executor.said.get("warnings", ())}


def _lines(result: dict[str, Any], audience: Audience) -> list[str]:
    if audience.quiet:
        return [result["file_digest"]]
    style = audience.style
    head = f"{style('signed', GREEN, BOLD)}  {plain(result['path'])}  {result['size']:,} bytes  {result['file_digest']}"
    return [head, f"  by {result['signer']}"]
