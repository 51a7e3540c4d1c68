"""A key that lives in this process, bound by a quote of the machine, and signs only what was verified here.

It is made here or derived by the machine's agent, never written, shown or handed to another process, and there is no
way to make it sign bytes: it signs bundles whose claim this process has established by executing again. Every
signature says where the key lives, and the evidence goes beside it.
"""

import os
from typing import NamedTuple

from near_tee_cli.attest.environment import HARDWARE, SIMULATED, Environment
from near_tee_cli.attest.evidence import Evidence
from near_tee_cli.attest.guest_agent import AgentQuote, GuestAgent
from near_tee_cli.attest.key_chain import PURPOSE
from near_tee_cli.attest.quote import parse_quote
from near_tee_cli.attest.report_data import NearTeeBinding, Scope, report_data_of
from near_tee_cli.errors import EvidenceError, HostError
from near_tee_cli.primitives import keys
from near_tee_cli.primitives.curves import ed25519
from near_tee_cli.proof.bundle import Attachment, Bundle
from near_tee_cli.proof.claim import claim_digest
from near_tee_cli.proof.evidence_part import EvidencePart, attached
from near_tee_cli.proof.report import Strength, VerifiedClaim
from near_tee_cli.proof.signatures import Signable, signable_of, signed_attachments
from near_tee_cli.worker.wasi_bundle import WasiBundle
from near_tee_cli.worker.wasi_bundle import signable_of as wasi_signable_of
from near_tee_cli.worker.wasi_statement import claim_digest as wasi_claim_digest
from near_tee_cli.worker.wasi_verifier import VerifiedWasi

EPHEMERAL, KMS = "ephemeral", "kms"
"""Made here and gone with the process; or derived by the agent, the same after every start of the same application."""

KMS_PATH = "near-tee/sign/v1"

_SEED_BYTES = 32


class Asked(NamedTuple):
    """What a quote is asked for."""

    anchor_height: int = 0
    """A block that is known now: the quote is not older."""
    anchor_hash: bytes = bytes(32)
    challenge: bytes = b""
    """What a verifier asked to bind."""
    per_claim: bool = False
    """A quote for each claim, instead of one for the key."""


class AttestedKey:
    """A key in a measured environment."""

    __slots__ = (
        "_agent",
        "_asked",
        "_collateral",
        "_compose",
        "_is_simulated",
        "_key_chain",
        "_part",
        "_secret",
        "public_key",
    )

    def __init__(self, agent: GuestAgent, *, kind: str, asked: Asked, collateral: bytes | None) -> None:
        """Make or take the key and have it bound. Raises `HostError` for an agent that does not do its part."""
        info = agent.info()
        self._agent = agent
        self._asked = asked
        self._collateral = collateral
        self._compose = info.compose
        self._is_simulated = info.is_simulated
        self._secret, self._key_chain = _secret(agent, kind)
        self.public_key = keys.public_key_of(self._secret)
        """Borsh."""
        self._part = None if asked.per_claim else self._bound(None)

    @property
    def mode(self) -> str:
        """`HARDWARE` or `SIMULATED`, as the agent or its last quote says; the quote's root proves it or does not."""
        return SIMULATED if self._is_simulated else HARDWARE

    def sign(self, bundle: Bundle, verified: VerifiedClaim) -> Bundle:
        """`bundle` with this key's signature and evidence. Raises `EvidenceError` for what was not verified here."""
        digest = claim_digest(bundle.claim)
        _require_verified(verified.strengths, verified.claim_digest, digest, bundle.claim_digest)
        return bundle._replace(attachments=self._signed(signable_of(bundle), digest))

    def sign_wasi(self, bundle: WasiBundle, verified: VerifiedWasi) -> WasiBundle:
        """The same for a claim about a program. Raises `EvidenceError` for what was not executed again here."""
        digest = wasi_claim_digest(bundle.claim)
        _require_verified(verified.strengths, verified.claim_digest, digest, bundle.claim_digest)
        return bundle._replace(attachments=self._signed(wasi_signable_of(bundle), digest))

    def _signed(self, subject: Signable, digest: bytes) -> tuple[Attachment, ...]:
        part = self._part or self._bound(digest)
        environment = Environment(self.mode, parse_quote(part.evidence.quote).identity)
        signed = signed_attachments(subject, self.public_key, self._signature, environment=environment)
        return tuple(sorted({*signed, attached(part)}))

    def _bound(self, claim: bytes | None) -> EvidencePart:
        binding = NearTeeBinding(
            key=self.public_key,
            challenge=self._asked.challenge,
            anchor_height=self._asked.anchor_height,
            anchor_hash=self._asked.anchor_hash,
            scope=Scope.KEY if claim is None else Scope.CLAIM,
            scope_digest=bytes(32) if claim is None else claim,
        )
        answer: AgentQuote = self._agent.get_quote(report_data_of(binding))
        self._is_simulated |= answer.is_simulated
        evidence = Evidence(
            quote=answer.quote,
            collateral=self._collateral,
            event_log=answer.event_log,
            compose=self._compose,
            binding=binding,
            key_chain=self._key_chain,
        )
        return EvidencePart(evidence, answer.vm_config)

    def _signature(self, message: bytes) -> bytes:
        return keys.sign(self._secret, message)[1:]

    def __repr__(self) -> str:
        return f"AttestedKey({keys.public_key_text(self.public_key)})"

    def __reduce__(self) -> str:
        raise TypeError("an attested key is not copied out of its process")


def _require_verified(strengths: frozenset[Strength], established: bytes, *others: bytes) -> None:
    """Refuse a claim of which something else was established. Raises `EvidenceError` (`not-verified`)."""
    if Strength.RE_EXECUTED not in strengths or set(others) != {established}:
        raise EvidenceError("an attested key signs only what this process has executed again", code="not-verified")


def _secret(agent: GuestAgent, kind: str) -> tuple[bytes, tuple[bytes, ...] | None]:
    """A secret key, and the signatures of whoever issued it."""
    seed, chain = os.urandom(_SEED_BYTES), None
    if kind == KMS:
        derived = agent.get_key(KMS_PATH, purpose=PURPOSE)
        seed, chain = derived.secret, derived.chain
        if len(seed) != _SEED_BYTES:
            raise HostError(f"the agent gave a key of {len(seed)} bytes", code="agent-malformed")
    return bytes([keys.ED25519]) + ed25519.secret_key_of(seed), chain
