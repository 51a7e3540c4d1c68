"""Evidence as it stands beside a claim: quote, collateral, event log, compose file, and what the quote binds.

JSON, the one text of its content, because most of it is JSON of others already. It is outside everything that is
signed and bound by content alone: the quote names the key, the envelope of that key names the quote. So collateral can
be renewed without signing again, and nothing here is believed for where it stands.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from near_tee_cli.attest.evidence import Evidence
from near_tee_cli.attest.report_data import Binding, NearTeeBinding, RawKey, Scope, profile_of
from near_tee_cli.errors import BadInputError, EvidenceError
from near_tee_cli.primitives import base58
from near_tee_cli.primitives import canonical_json as cj
from near_tee_cli.primitives.keys import public_key_from_text, public_key_text
from near_tee_cli.primitives.schema.wire import U64_MAX
from near_tee_cli.proof.bundle import EVIDENCE, Attachment

KIND = "tdx-dstack-v1"
"""The kind of evidence that is read: a TDX quote with the log of a dstack guest."""

MAX_EVIDENCE_BYTES = 4 << 20
MAX_PARTS = 16
"""Pieces of evidence in one bundle."""

_TEXTS = ("collateral", "event_log", "app_compose", "vm_config")


class EvidencePart(NamedTuple):
    """One piece of evidence."""

    evidence: Evidence
    vm_config: bytes | None
    """How the guest's machine was set up, as its host says; shown and never believed."""


def encode_evidence(part: EvidencePart) -> bytes:
    """The one text of a piece of evidence. Raises `BadInputError` for parts that are no text, or bind no key."""
    evidence = part.evidence
    if evidence.binding is None:
        raise BadInputError("evidence says which key it binds", code="bad-evidence")
    texts = (evidence.collateral, evidence.event_log, evidence.compose, part.vm_config)
    return cj.dumps(
        {
            "type": KIND,
            "quote": cj.base64_text(evidence.quote),
            "binding": _binding_document(evidence.binding),
            **{name: _text(value, name) for name, value in zip(_TEXTS, texts, strict=True)},
            **({} if evidence.key_chain is None else {_CHAIN: [one.hex() for one in evidence.key_chain]}),
        }
    )


def parse_evidence(data: bytes) -> EvidencePart:
    """The piece of evidence in `data`. Raises `EvidenceError` (`bad-evidence`) when it is none, or spelt otherwise."""
    try:
        document = cj.members(
            cj.loads(data, "the evidence", max_bytes=MAX_EVIDENCE_BYTES), "evidence", required=_ALL, optional=(_CHAIN,)
        )
        if document["type"] != KIND:
            raise BadInputError(f"evidence of the type {str(document['type'])[:60]!r}")
        collateral, event_log, compose, vm_config = (_bytes_or_none(document[name], name) for name in _TEXTS)
        quote = cj.base64(document["quote"], "quote")
        binding = _read_binding(cj.mapping(document["binding"], "binding"))
        chain = None
        if _CHAIN in document:
            signatures = cj.array(document[_CHAIN], _CHAIN)
            chain = tuple(_hexadecimal(cj.string(one, _CHAIN), _CHAIN) for one in signatures)
        part = EvidencePart(Evidence(quote, collateral, event_log, compose, binding, chain), vm_config)
        fits = encode_evidence(part) == data
    except BadInputError as error:
        raise EvidenceError(f"evidence cannot be read: {error.message[:200]}", code="bad-evidence") from error
    if not fits:
        raise EvidenceError("evidence is not the one text of its content", code="bad-evidence")
    return part


def attached(part: EvidencePart) -> Attachment:
    """A piece of evidence as it stands in a bundle."""
    return Attachment(EVIDENCE, encode_evidence(part))


_CHAIN = "key_chain"
_ALL = ("type", "quote", "binding", *_TEXTS)


def _binding_document(binding: Binding) -> dict[str, Any]:
    document: dict[str, Any] = {"profile": profile_of(binding)}
    if isinstance(binding, NearTeeBinding):
        return document | {
            "key": public_key_text(binding.key),
            "challenge": binding.challenge.hex(),
            "anchor_height": str(binding.anchor_height),
            "anchor_hash": base58.encode(binding.anchor_hash),
            "scope": binding.scope.name.lower(),
            "scope_digest": base58.encode(binding.scope_digest),
        }
    if isinstance(binding, RawKey):
        return document | {"key": public_key_text(binding.key)}
    raise BadInputError(f"{document['profile']} binds no key that signs claims", code="bad-evidence")


def _read_binding(document: Mapping[str, object]) -> Binding:
    profile = document.get("profile")
    key = public_key_from_text(cj.string(document.get("key"), "key"))
    if profile == "raw-ed25519":
        return RawKey(key)
    if profile != "near-tee-v1":
        raise BadInputError(f"a binding of the profile {str(profile)[:60]!r}")
    scope = {"key": Scope.KEY, "claim": Scope.CLAIM}.get(cj.string(document.get("scope"), "scope"))
    if scope is None:
        raise BadInputError("a scope is `key` or `claim`")
    return NearTeeBinding(
        key=key,
        challenge=_hexadecimal(cj.string(document.get("challenge"), "challenge"), "challenge"),
        anchor_height=cj.decimal(document.get("anchor_height"), "anchor_height", bound=U64_MAX),
        anchor_hash=base58.decode(cj.string(document.get("anchor_hash"), "anchor_hash"), 32),
        scope=scope,
        scope_digest=base58.decode(cj.string(document.get("scope_digest"), "scope_digest"), 32),
    )


def _hexadecimal(text: str, name: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise BadInputError(f"{name} is written in hexadecimal digits") from error


def _text(value: bytes | None, name: str) -> str | None:
    try:
        return None if value is None else value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadInputError(f"{name} is no UTF-8 text", code="bad-evidence") from error


def _bytes_or_none(value: object, name: str) -> bytes | None:
    return None if value is None else cj.string(value, name).encode()
