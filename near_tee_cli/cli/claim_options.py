"""What a line of `prove` says of its claim beside the execution: for whom, by whom, after which, and in what form."""

from typing import Any

from near_tee_cli.cli.parameters import FLAG, Given, Parameter
from near_tee_cli.errors import BadInputError, UsageError

CLAIM = (
    Parameter("audience", ("--audience",), "The contract that the claim is meant for.", "ACCOUNT", panel="Claim"),
    Parameter("worker", ("--worker",), "The account that makes the claim.", "ACCOUNT", panel="Claim"),
    Parameter("sequence", ("--sequence",), "Position in the worker's own series of claims. Default: one more than"
              " --previous, else 0.", "N", panel="Claim"),
    Parameter("previous", ("--previous",), "The claim before it in that series: its bundle, or its digest in base58.",
              "BUNDLE", panel="Claim"),
    Parameter("detach_code", ("--detach-code",), "Name contracts by their hashes only; `verify --code` gives them.",
              kind=FLAG, panel="Claim"),
    Parameter("key_paths", ("--key-paths",), "Add the Merkle path of every change, for contracts that check single"
              " ones.", kind=FLAG, panel="Claim"),
)  # fmt: skip


def purpose_of(given: Given) -> Any:
    """The free fields of the claim. Raises `UsageError` and `BadInputError`."""
    from near_tee_cli.cli import units
    from near_tee_cli.proof.prover import Purpose

    previous, sequence = _previous(given["previous"])
    if given["sequence"] is not None:
        sequence = units.number(given["sequence"], "--sequence")
    return Purpose(
        audience="" if given["audience"] is None else units.account(given["audience"], "--audience"),
        worker="" if given["worker"] is None else units.account(given["worker"], "--worker"),
        sequence=sequence,
        previous=previous,
    )


def _previous(text: str | None) -> tuple[bytes | None, int]:
    """Digest of the claim before, and the number that comes next where its bundle is at hand."""
    import os

    from near_tee_cli.cli import files, units

    if text is None:
        return None, 0
    if not os.path.exists(text):
        try:
            return units.hash32(text, "--previous"), 0
        except UsageError as error:
            raise UsageError(f"--previous: {text[:80]} is neither a file nor a digest", where="--previous") from error
    from near_tee_cli.proof.bundle import decode_bundle

    data = files.read(text, "the bundle before", max_bytes=files.MAX_BUNDLE_BYTES)
    try:
        bundle = decode_bundle(data)
    except BadInputError as error:
        raise BadInputError(f"--previous: {error.message}", code=error.code, where="--previous") from error
    return bundle.claim_digest, bundle.claim.sequence + 1


def formed(data: bytes, given: Given) -> bytes:
    """The bundle in the form that the line asks for. Raises `MissingNodeError`."""
    if not given["detach_code"] and not given["key_paths"]:
        return data
    from near_tee_cli.proof.bundle import decode_bundle, encode_bundle
    from near_tee_cli.proof.key_paths import with_key_paths

    bundle = decode_bundle(data)
    if given["key_paths"]:
        bundle = with_key_paths(bundle)
    if given["detach_code"]:
        codes = tuple(code._replace(code=None) for code in bundle.content.codes)
        bundle = bundle._replace(content=bundle.content._replace(codes=codes))
    return encode_bundle(bundle)
