"""What the report data of a quote bind, as flags: a profile and what goes into it."""

from typing import Any

from near_tee_cli.cli import files, units
from near_tee_cli.cli.attesting import hexadecimal
from near_tee_cli.cli.parameters import MANY, Given, Parameter
from near_tee_cli.errors import UsageError

PROFILES = ("near-tee-v1", "raw-ed25519", "mpc-v1", "outlayer-task-v1", "dstack-app-data")

_PANEL = "Binding"

BINDING = (
    Parameter("profile", ("--profile",), f"How the report data are made: {', '.join(PROFILES)}.", "NAME", panel=_PANEL),
    Parameter("public_key", ("--public-key",), "The key that they bind; two for mpc-v1, of TLS first.", "KEY",
              kind=MANY, panel=_PANEL),
    Parameter("anchor", ("--anchor",), "near-tee-v1: the block that was known when the quote was made.", "HEIGHT:HASH",
              panel=_PANEL),
    Parameter("challenge", ("--challenge",), "near-tee-v1: what a verifier asked to bind, in hexadecimal digits.",
              "HEX", panel=_PANEL),
    Parameter("claim_digest", ("--claim-digest",), "near-tee-v1: the one claim that the quote is for.", "HASH",
              panel=_PANEL),
)  # fmt: skip
"""Options of what is bound, for quotes that are made and quotes that are checked."""

CONTENT = (
    Parameter("tag", ("--tag",), "dstack-app-data: the kind of content. Default app-data.", "TEXT", panel=_PANEL),
    Parameter("content", ("--content",), "dstack-app-data: the content.", "FILE", panel=_PANEL),
    Parameter("task", ("--task",), "outlayer-task-v1: the record of the task (JSON).", "FILE", panel=_PANEL),
)  # fmt: skip
"""Options of profiles that are only checked."""


def binding_of(given: Given) -> Any:
    """What flags declare to be bound, `None` when they say nothing. Raises `UsageError` and `BadInputError`."""
    profile = given["profile"]
    if profile is None:
        for parameter in (*BINDING, *CONTENT):
            if given.get(parameter.name) not in (None, ()):
                raise UsageError(f"{parameter.flags[0]} goes with --profile", where=parameter.flags[0])
        return None
    if profile not in PROFILES:
        raise UsageError(f"{profile!r} is no profile", where="--profile", hint=f"one of {', '.join(PROFILES)}")
    from near_tee_cli.attest import report_data

    if profile == "mpc-v1":
        return report_data.MpcKeys(*_keys(given, 2))
    if profile == "raw-ed25519":
        return report_data.RawKey(*_keys(given, 1))
    if profile == "dstack-app-data":
        content = files.read(_needed(given, "content"), "the content", max_bytes=files.MAX_BUNDLE_BYTES)
        return report_data.AppData(given["tag"] or "app-data", content)
    if profile == "outlayer-task-v1":
        from near_tee_cli.worker.outlayer_task import binding_of_record

        return binding_of_record(files.read(_needed(given, "task"), "the task", max_bytes=files.MAX_SMALL_BYTES))
    (key,) = _keys(given, 1)
    return near_tee_binding(given, key)


def near_tee_binding(given: Given, key: bytes, *, claim: bytes | None = None) -> Any:
    """The binding of our own profile for `key` (Borsh), for one claim when its digest is given. Raises `UsageError`."""
    from near_tee_cli.attest.report_data import NearTeeBinding, Scope

    height, block_hash = (0, bytes(32)) if given["anchor"] is None else anchor_of(given["anchor"])
    if claim is None and given.get("claim_digest") is not None:
        claim = units.hash32(given["claim_digest"], "--claim-digest")
    return NearTeeBinding(
        key=key,
        challenge=b"" if given["challenge"] is None else hexadecimal(given["challenge"], "--challenge"),
        anchor_height=height,
        anchor_hash=block_hash,
        scope=Scope.KEY if claim is None else Scope.CLAIM,
        scope_digest=claim or bytes(32),
    )


def anchor_of(text: str) -> tuple[int, bytes]:
    """A block: its height and its hash. Raises `UsageError`."""
    height, colon, block_hash = text.partition(":")
    if not colon:
        raise UsageError("an anchor is a block by height and hash", where="--anchor", hint="HEIGHT:HASH")
    return units.number(height, "--anchor"), units.hash32(block_hash, "--anchor")


def _keys(given: Given, count: int) -> list[bytes]:
    from near_tee_cli.errors import BadInputError
    from near_tee_cli.primitives.keys import public_key_from_text

    if len(given["public_key"]) != count:
        raise UsageError(
            f"{given['profile']} binds {count} key{'s' if count > 1 else ''}, {len(given['public_key'])} are given",
            where="--public-key",
        )
    try:
        return [public_key_from_text(text) for text in given["public_key"]]
    except BadInputError as error:
        raise UsageError(f"--public-key: {error.message}", where="--public-key") from error


def _needed(given: Given, name: str) -> str:
    if given[name] is None:
        raise UsageError(f"{given['profile']} needs --{name}", where=f"--{name}")
    return str(given[name])
