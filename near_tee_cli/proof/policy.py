"""The policy file of a verifier: what a claim must be about, who must have signed it, in what environment, how strong.

TOML, read strictly: an unknown name is a mistake, never ignored, and a policy that demands nothing is refused. Its
digest stands in every result that was judged by it. `docs/verification.md` lists all names.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from near_tee_cli.attest.platform_policy import SECTIONS as PLATFORM_SECTIONS
from near_tee_cli.attest.platform_policy import PlatformPolicy, parse_platform_policy
from near_tee_cli.errors import BadInputError
from near_tee_cli.primitives import account_id as account_ids
from near_tee_cli.primitives import base58, toml
from near_tee_cli.primitives.hashes import sha256
from near_tee_cli.primitives.keys import public_key_from_text
from near_tee_cli.proof.expectations import Expectations, is_empty
from near_tee_cli.proof.report import Strength

T = TypeVar("T")

VERSION = 1
MAX_POLICY_BYTES = 1 << 20
MAX_VALUES = 4096
"""Values of one list."""

_U64_MAX = 2**64 - 1


class Policy(NamedTuple):
    """A policy. What it leaves open is `None`, empty, or listed as unconstrained in the result."""

    digest: bytes
    """SHA-256 of the file."""
    require: frozenset[Strength]
    """What it asks for by name. Where it names nothing the usual is asked for; with signers `signed` besides, with
    sections about platforms `attested`."""
    expectations: Expectations
    signers: tuple[bytes, ...]
    """Trusted public keys in Borsh, none twice."""
    threshold: int
    """How many of them must have signed; 0 without signers."""
    max_gas: int | None
    time_limit: float | None
    """Seconds."""
    platform: PlatformPolicy | None
    """Which environments are accepted; `None` when it does not speak of them, and then none is."""


def parse_policy(data: bytes) -> Policy:
    """The policy in the file `data`. Raises `BadInputError` (`bad-policy`, `empty-policy`) with the place."""
    document = _document(data)
    _only(document, "", ("version", "require", "claim", "signatures", "limits", *PLATFORM_SECTIONS))
    if document.get("version") != VERSION or type(document.get("version")) is not int:
        raise _bad("version", f"must be {VERSION}")
    claim, signatures, limits = (_table(document, name) for name in ("claim", "signatures", "limits"))
    _only(claim, "claim.", tuple(_CLAIM))
    _only(signatures, "signatures.", ("signers", "threshold"))
    _only(limits, "limits.", ("max_gas", "time_limit"))
    expectations = Expectations(
        **{name.removesuffix("_blocks"): _CLAIM[name](claim[name], f"claim.{name}") for name in claim}
    )
    if _below(expectations.max_height, expectations.min_height):
        raise _bad("claim.max_height", "is below min_height")
    signers, threshold = _signatures(signatures)
    require = _set_of(_strength)(document["require"], "require") if "require" in document else frozenset()
    max_gas = None if "max_gas" not in limits else _number(limits["max_gas"], "limits.max_gas")
    time_limit = None if "time_limit" not in limits else _seconds(limits["time_limit"])
    is_about_platforms = any(name in document for name in PLATFORM_SECTIONS)
    if is_empty(expectations) and not signers and not require and not is_about_platforms:
        raise BadInputError(
            "the policy demands nothing",
            code="empty-policy",
            hint="without one a bundle is only held against itself",
        )
    return Policy(
        digest=sha256(data),
        require=require,
        expectations=expectations,
        signers=signers,
        threshold=threshold,
        max_gas=max_gas,
        time_limit=time_limit,
        platform=parse_platform_policy(document) if is_about_platforms else None,
    )


def _document(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_POLICY_BYTES:
        raise BadInputError(f"a policy has at most {MAX_POLICY_BYTES} bytes", code="too-large")
    return toml.loads(data, "the policy", code="bad-policy")


def _bad(where: str, what: str) -> BadInputError:
    return BadInputError(f"{where} {what}", code="bad-policy", where=where)


def _only(table: Mapping[str, Any], prefix: str, names: tuple[str, ...]) -> None:
    for name in table:
        if name not in names:
            raise BadInputError(
                f"{prefix}{name[:60]!r} says nothing in a policy",
                code="bad-policy",
                where=f"{prefix}{name[:60]}",
                hint=f"known are {', '.join(names)}",
            )


def _table(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = document.get(name, {})
    if not isinstance(table, dict):
        raise _bad(name, "must be a table")
    return table


def _signatures(table: Mapping[str, Any]) -> tuple[tuple[bytes, ...], int]:
    signers = _values(table.get("signers", []), "signatures.signers", _public_key)
    if len(set(signers)) != len(signers):
        raise _bad("signatures.signers", "names a key twice")
    if "signers" in table and not signers:
        raise _bad("signatures.signers", "is empty: nobody would be trusted")
    threshold = _number(table.get("threshold", 1 if signers else 0), "signatures.threshold")
    if threshold > len(signers) or (signers and threshold == 0) or ("threshold" in table and not signers):
        raise _bad("signatures.threshold", f"must be from 1 to the {len(signers)} signers")
    return signers, threshold


def _values(value: Any, where: str, read: Callable[[Any, str], T]) -> tuple[T, ...]:
    """One value or a list of them."""
    items = value if isinstance(value, list) else [value]
    if len(items) > MAX_VALUES:
        raise _bad(where, f"has more than {MAX_VALUES} values")
    return tuple(read(item, where) for item in items)


def _set_of(read: Callable[[Any, str], T]) -> Callable[[Any, str], frozenset[T]]:
    def read_set(value: Any, where: str) -> frozenset[T]:
        found = frozenset(_values(value, where, read))
        if not found:
            raise _bad(where, "is empty: nothing would do")
        return found

    return read_set


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise _bad(where, "must be text")
    return value


def _account(value: Any, where: str) -> str:
    text = _text(value, where)
    if not account_ids.is_valid(text):
        raise _bad(where, f"holds no account id: {text[:80]!r}")
    return text


def _audience(value: Any, where: str) -> str:
    """An account, or an empty text for a claim that is meant for nobody in particular."""
    return "" if value == "" else _account(value, where)


def _hash(value: Any, where: str) -> bytes:
    """32 bytes in base58, as NEAR writes hashes, or in 64 hexadecimal digits."""
    text = _text(value, where)
    try:
        found = bytes.fromhex(text) if len(text) == 64 else base58.decode(text)
    except (ValueError, BadInputError) as error:
        raise _bad(where, "holds no hash") from error
    if len(found) != 32:
        raise _bad(where, "holds no hash of 32 bytes")
    return found


def _public_key(value: Any, where: str) -> bytes:
    try:
        return public_key_from_text(_text(value, where))
    except BadInputError as error:
        raise _bad(where, f"holds no public key: {error.message}") from error


def _number(value: Any, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _U64_MAX:
        raise _bad(where, f"must be a number from 0 to {_U64_MAX}")
    return value


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 86_400:
        raise _bad("limits.time_limit", "must be seconds, from above 0 to 86400")
    return float(value)


def _strength(value: Any, where: str) -> Strength:
    try:
        return Strength(_text(value, where))
    except ValueError as error:
        raise _bad(where, f"names no strength: {value[:60]!r}") from error


def _below(high: int | None, low: int | None) -> bool:
    return high is not None and low is not None and high < low


_CLAIM: Mapping[str, Callable[[Any, str], Any]] = {
    "network": _set_of(_text),
    "audience": _set_of(_audience),
    "worker": _set_of(_audience),
    "contract": _set_of(_account),
    "code_hash": _set_of(_hash),
    "method": _set_of(_text),
    "caller": _set_of(_account),
    "pre_root": _set_of(_hash),
    "post_root": _set_of(_hash),
    "protocol_version": _set_of(_number),
    "min_height": _number,
    "max_height": _number,
    "max_age_blocks": _number,
}
