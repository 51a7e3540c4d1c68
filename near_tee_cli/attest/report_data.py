"""Report data: what the 64 bytes that a guest put into its quote bind.

A quote proves that measured code chose these bytes. A profile says how they are made, so that a key, a task or a
content can be recognised in them. Which profile a quote follows cannot be told from the bytes: it is declared, and
a policy says which ones it takes.

    near-tee-v1      key ‖ SHA-256("near-tee/report-data/v1\\0" ‖ Borsh of the binding)
    raw-ed25519      key ‖ 32 zero bytes
    outlayer-task-v1 SHA-256 of a task's fields ‖ 32 zero bytes; binds a task, no key
    mpc-v1           0x0001 ‖ SHA3-384(TLS key ‖ account key) ‖ 14 zero bytes
    dstack-app-data  SHA-512(tag ":" content)

Follows near-outlayer (worker attestation), near/mpc (crates/mpc-attestation, report data version 1), dstack
(ra-tls, report data of content types), and the account binding of shade agents.
"""

import hashlib
from enum import IntEnum
from typing import NamedTuple, assert_never

from near_tee_cli.errors import BadInputError, EvidenceError
from near_tee_cli.primitives.hashes import sha256, sha512
from near_tee_cli.primitives.keys import ED25519, public_key_from_text, public_key_text
from near_tee_cli.primitives.schema.wire import U64_MAX, blob, u64

DOMAIN = b"near-tee/report-data/v1\0"
"""Stands before the binding in what the second half of `near-tee-v1` hashes."""

MAX_CHALLENGE_BYTES = 1024
"""Bytes of a challenge."""

PROFILES = ("near-tee-v1", "raw-ed25519", "outlayer-task-v1", "mpc-v1", "dstack-app-data")
"""Names of all profiles."""

_LENGTH = 64
_HALF = 32
_I64_MAX = 2**63 - 1


class Scope(IntEnum):
    """What a quote was asked for."""

    KEY = 0
    """A key that then signs many claims."""
    CLAIM = 1
    """One claim, by its digest."""


class NearTeeBinding(NamedTuple):
    """`near-tee-v1`: a key, bound to a block of the chain, a challenge and a scope."""

    key: bytes
    """The public key, 33 bytes (Borsh, ed25519)."""
    challenge: bytes
    """What a verifier gave, empty without one; up to 1024 bytes."""
    anchor_height: int
    """A block that was known when the quote was made."""
    anchor_hash: bytes
    """Its hash, 32 bytes: the quote is not older than this block."""
    scope: Scope
    scope_digest: bytes
    """The claim's digest for `Scope.CLAIM`, zeros for `Scope.KEY`; 32 bytes."""


class RawKey(NamedTuple):
    """`raw-ed25519`: a key and nothing else."""

    key: bytes
    """The public key, 33 bytes (Borsh, ed25519)."""


class OutlayerTask(NamedTuple):
    """`outlayer-task-v1`: one task of OutLayer. No lengths stand between hashed texts: two tasks can collide."""

    task_type: str
    task_id: int
    repo: str | None
    commit: str | None
    build_target: str | None
    wasm_hash: str | None
    input_hash: str | None
    output_hash: str
    block_height: int | None
    caller: str | None
    project_id: str | None
    secrets_ref: str | None
    timestamp: int | None
    """Seconds; signed."""
    attached_usd: str | None


class MpcKeys(NamedTuple):
    """`mpc-v1`: the two keys of an MPC node, 33 bytes each (Borsh, ed25519)."""

    tls_key: bytes
    account_key: bytes


class AppData(NamedTuple):
    """`dstack-app-data`: content under a tag."""

    tag: str
    """`app-data`, `ratls-cert` and the like; no colon."""
    content: bytes


Binding = NearTeeBinding | RawKey | OutlayerTask | MpcKeys | AppData
"""What is declared to be bound, one kind per profile."""


def profile_of(binding: Binding) -> str:
    """The name of the profile that `binding` belongs to."""
    match binding:
        case NearTeeBinding():
            return "near-tee-v1"
        case RawKey():
            return "raw-ed25519"
        case OutlayerTask():
            return "outlayer-task-v1"
        case MpcKeys():
            return "mpc-v1"
        case AppData():
            return "dstack-app-data"
        case _:
            assert_never(binding)


def report_data_of(binding: Binding) -> bytes:
    """The 64 bytes that a guest puts into its quote. Raises `BadInputError` (`bad-binding`)."""
    match binding:
        case NearTeeBinding():
            return _raw_key(binding.key) + sha256(DOMAIN + _binding_bytes(binding))
        case RawKey():
            return _raw_key(binding.key) + bytes(_HALF)
        case OutlayerTask():
            return outlayer_task_hash(binding) + bytes(_HALF)
        case MpcKeys():
            digest = hashlib.sha3_384(_raw_key(binding.tls_key) + _raw_key(binding.account_key)).digest()
            return b"\x00\x01" + digest + bytes(_LENGTH - 2 - len(digest))
        case AppData():
            if ":" in binding.tag or not binding.tag:
                raise _bad("a tag of application data is a text without colon")
            return sha512(binding.tag.encode() + b":" + binding.content)
        case _:
            assert_never(binding)


def bound_keys(binding: Binding) -> tuple[bytes, ...]:
    """The public keys (Borsh) that `binding` is about: none for a task, and for content only a key itself."""
    match binding:
        case NearTeeBinding() | RawKey():
            return (binding.key,)
        case OutlayerTask():
            return ()
        case MpcKeys():
            return (binding.tls_key, binding.account_key)
        case AppData():
            return _keys_in(binding.content)
        case _:
            assert_never(binding)


def require_bound(report_data: bytes, binding: Binding, *, key: bytes | None) -> str:
    """Hold the report data of a quote (64 bytes) against what is declared, and `key` (Borsh) against that.

    Gives the profile's name. Raises `EvidenceError` (`report-data-mismatch`, `key-not-bound`) and `BadInputError`
    (`bad-binding`).
    """
    profile = profile_of(binding)
    if report_data != report_data_of(binding):
        raise EvidenceError(f"the report data is not that of the profile {profile}", code="report-data-mismatch")
    if key is not None and key not in bound_keys(binding):
        raise EvidenceError(f"{public_key_text(key)} is not what the quote binds", code="key-not-bound")
    return profile


def outlayer_task_hash(task: OutlayerTask) -> bytes:
    """SHA-256 over the fields of a task in their order; absent ones are left out."""
    texts = (task.repo, task.commit, task.build_target, task.wasm_hash, task.input_hash)
    parts = [task.task_type.encode(), _i64(task.task_id), *(text.encode() for text in texts if text is not None)]
    parts.append(task.output_hash.encode())
    if task.block_height is not None:
        parts.append(u64(_within_u64(task.block_height)))
    others = (task.caller, task.project_id, task.secrets_ref)
    parts.extend(text.encode() for text in others if text is not None)
    if task.timestamp is not None:
        parts.append(_i64(task.timestamp))
    if task.attached_usd is not None:
        parts.append(task.attached_usd.encode())
    return sha256(b"".join(parts))


def _binding_bytes(binding: NearTeeBinding) -> bytes:
    if len(binding.challenge) > MAX_CHALLENGE_BYTES:
        raise _bad(f"a challenge has at most {MAX_CHALLENGE_BYTES} bytes")
    if len(binding.anchor_hash) != _HALF or len(binding.scope_digest) != _HALF:
        raise _bad("anchor and scope are named by hashes of 32 bytes")
    if binding.scope is Scope.KEY and any(binding.scope_digest):
        raise _bad("a quote about a key names no claim")
    height = u64(_within_u64(binding.anchor_height))
    return blob(binding.challenge) + height + binding.anchor_hash + bytes([binding.scope]) + binding.scope_digest


def _keys_in(content: bytes) -> tuple[bytes, ...]:
    """Content that is a key: 32 raw bytes, or `ed25519:` and base58. Anything around it could mean anything."""
    if len(content) == _HALF:
        return (bytes([ED25519]) + content,)
    try:
        text = content.decode("ascii")
        key = public_key_from_text(text)
    except (UnicodeDecodeError, BadInputError):
        return ()
    return (key,) if key[0] == ED25519 and public_key_text(key) == text else ()


def _raw_key(key: bytes) -> bytes:
    if len(key) != 1 + _HALF or key[0] != ED25519:
        raise _bad("only ed25519 keys are bound, 33 bytes with their tag")
    return key[1:]


def _within_u64(value: int) -> int:
    if not 0 <= value <= U64_MAX:
        raise _bad("a height is a number of 64 bits")
    return value


def _i64(value: int) -> bytes:
    if not -_I64_MAX - 1 <= value <= _I64_MAX:
        raise _bad("a task id or timestamp is a signed number of 64 bits")
    return value.to_bytes(8, "little", signed=True)


def _bad(what: str) -> BadInputError:
    return BadInputError(what, code="bad-binding")
