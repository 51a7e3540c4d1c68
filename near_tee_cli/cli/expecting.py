"""What a line of `verify` expects of a claim: flags, a policy file, and the blocks of the chain that are known."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from near_tee_cli.cli import files, units
from near_tee_cli.cli.parameters import MANY, Given, Parameter
from near_tee_cli.errors import BadInputError, UsageError

_PANEL = "Expectations"


def _many(name: str, flag: str, text: str, metavar: str) -> Parameter:
    return Parameter(name, (flag,), f"{text}; repeat to allow several.", metavar, kind=MANY, panel=_PANEL)


EXPECTATIONS = (
    Parameter("policy", ("--policy",), "A policy file (TOML); flags are demanded besides.", "FILE", panel=_PANEL),
    _many("contract", "--contract", "The account that everything from outside goes to", "ACCOUNT"),
    _many("code_hash", "--code-hash", "The contract that is called, by its hash", "HASH"),
    _many("method", "--method", "The method that is called", "NAME"),
    _many("caller", "--caller", "The account that calls", "ACCOUNT"),
    _many("pre_root", "--pre-root", "The state root before", "HASH"),
    _many("post_root", "--post-root", "The state root after", "HASH"),
    _many("protocol_version", "--protocol-version", "The protocol version", "N"),
    _many("network", "--network", "The chain id", "ID"),
    _many("audience", "--audience", "The contract that the claim is meant for", "ACCOUNT"),
    _many("worker", "--worker", "The account that the claim names as its maker, for which only a signature vouches",
          "ACCOUNT"),
    Parameter("min_height", ("--min-height",), "The least height of a block.", "HEIGHT", panel=_PANEL),
    Parameter("max_height", ("--max-height",), "The greatest height of a block.", "HEIGHT", panel=_PANEL),
    Parameter("max_age", ("--max-age",), "How many blocks old the claim may be, measured against --at.", "BLOCKS",
              panel=_PANEL),
    Parameter("at", ("--at",), "A block of the chain that is known: its height, and its hash if it is known; repeat for"
              " several.", "HEIGHT[:HASH]", kind=MANY, panel=_PANEL),
    Parameter("anchors", ("--anchors",), "A file of known blocks, HEIGHT[:HASH] in each line.", "FILE", panel=_PANEL),
)  # fmt: skip


class Expected(NamedTuple):
    """The demands of a line."""

    sets: tuple[Any, ...]
    """Sets of `expectations.Expectations`; each has to be met."""
    anchors: tuple[Any, ...]
    policy: Any
    """`policy.Policy`, `None` without one."""


def expected_of(given: Given) -> Expected:
    """The demands of a line. Raises `UsageError` and, for files, `BadInputError`."""
    wanted = [parameter.name for parameter in EXPECTATIONS if given[parameter.name] not in (None, ())]
    if not wanted:
        return Expected((), (), None)
    from near_tee_cli.proof.expectations import is_empty

    sets = []
    policy = None
    if given["policy"] is not None:
        from near_tee_cli.proof.policy import MAX_POLICY_BYTES, parse_policy

        policy = parse_policy(files.read(given["policy"], "the policy", max_bytes=MAX_POLICY_BYTES))
        sets.append(policy.expectations)
    flags = _of_flags(given)
    if not is_empty(flags):
        sets.append(flags)
    return Expected(tuple(sets), _anchors(given), policy)


def trusts_of(given: Given, expected: Expected) -> tuple[Any, ...]:
    """Whose signatures count: those of the policy, and those of the flags. Raises `UsageError` and `BadInputError`."""
    if given["threshold"] is not None and not given["signer"]:
        raise UsageError("--threshold counts signers, and there is no --signer", where="--threshold")
    policy = expected.policy
    if not given["signer"] and (policy is None or not policy.signers):
        return ()
    from near_tee_cli.attest.trust import trust_in
    from near_tee_cli.primitives.keys import public_key_from_text

    trusts = []
    if policy is not None and policy.signers:
        trusts.append(trust_in(policy.signers, threshold=policy.threshold))
    if given["signer"]:
        threshold = 1 if given["threshold"] is None else units.number(given["threshold"], "--threshold")
        try:
            trusts.append(trust_in(map(public_key_from_text, given["signer"]), threshold=threshold))
        except BadInputError as error:
            raise UsageError(f"--signer: {error.message}", where="--signer") from error
    return tuple(trusts)


def _of_flags(given: Given) -> Any:
    from near_tee_cli.proof.expectations import Expectations

    values: dict[str, Any] = {}
    for name, read in _READERS.items():
        flag = "--" + name.replace("_", "-")
        texts = given[name]
        if isinstance(texts, tuple):
            values[name] = frozenset(read(text, flag) for text in texts) or None
        else:
            values[name] = None if texts is None else read(texts, flag)
    low, high = values["min_height"], values["max_height"]
    if low is not None and high is not None and high < low:
        raise UsageError("--max-height is below --min-height", where="--max-height")
    return Expectations(**values)


def _hash(text: str, flag: str) -> bytes:
    """32 bytes in base58, as NEAR writes hashes, or in 64 hexadecimal digits."""
    if len(text) == 64:
        try:
            return bytes.fromhex(text)
        except ValueError:
            pass
    return units.hash32(text, flag, what="base58 of 32 bytes, or 64 hexadecimal digits")


def _audience(text: str, flag: str) -> str:
    return "" if not text else units.account(text, flag)


_READERS: Mapping[str, Callable[[str, str], Any]] = {
    "contract": units.account,
    "code_hash": _hash,
    "method": lambda text, _: text,
    "caller": units.account,
    "pre_root": _hash,
    "post_root": _hash,
    "protocol_version": units.number,
    "network": lambda text, _: text,
    "audience": _audience,
    "worker": _audience,
    "min_height": units.number,
    "max_height": units.number,
    "max_age": units.number,
}


def _anchors(given: Given) -> tuple[Any, ...]:
    anchors = [_anchor(text, "--at") for text in given["at"]]
    if given["anchors"] is not None:
        anchors += _file_of_anchors(given["anchors"])
    hashes: dict[int, bytes] = {}
    for anchor in anchors:
        if anchor.block_hash is not None and hashes.setdefault(anchor.height, anchor.block_hash) != anchor.block_hash:
            raise UsageError(f"block {anchor.height} is given with two hashes", where="--at")
    return tuple(anchors)


def _file_of_anchors(path: str) -> list[Any]:
    data = files.read(path, "the file of known blocks", max_bytes=files.MAX_SMALL_BYTES)
    try:
        lines = [line.partition("#")[0].strip() for line in data.decode("ascii").splitlines()]
        return [_anchor(line, "--anchors") for line in lines if line]
    except UnicodeDecodeError as error:
        raise BadInputError(f"{path} is no text", code="bad-anchors", where=path) from error
    except UsageError as error:
        raise BadInputError(f"{path}: {error.message}", code="bad-anchors", where=path) from error


def _anchor(text: str, flag: str) -> Any:
    from near_tee_cli.proof.expectations import Anchor

    height, colon, block_hash = text.partition(":")
    return Anchor(units.number(height, flag), _hash(block_hash, flag) if colon else None)


def expectations_json(expected: Expected, unconstrained: tuple[str, ...]) -> dict[str, Any]:
    """What was judged by, and what nobody constrained."""
    return {
        "policy_digest": None if expected.policy is None else "sha256:" + expected.policy.digest.hex(),
        "unconstrained": list(unconstrained),
    }
