"""Verified evidence held against a policy, rule by rule: each rule that is not met is a finding with its code.

Measurements are compared as whole sets: registers of two images never mix. Without measurements or compose hashes
nothing is accepted. A finding is *contradicted* when evidence shows what the policy refuses, and *inconclusive* when
it does not show what the policy asks for.

Follows Intel's appraisal of TD reports and the checks of dstack and near/mpc (crates/mpc-attestation).
"""

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from near_tee_cli.attest.collateral import date_text
from near_tee_cli.attest.compose import compose_hash, config_id_of, judge_compose
from near_tee_cli.attest.dcap import Verified, shortfall_lines
from near_tee_cli.attest.event_log import KeyProvider, Replay, key_provider_of
from near_tee_cli.attest.key_chain import PURPOSE, recover_key_chain
from near_tee_cli.attest.platform_policy import Measurements, PlatformPolicy
from near_tee_cli.attest.quote import DEBUG, PERFMON, PROTECTION_KEYS, SEPT_VE_DISABLE, TdReport
from near_tee_cli.attest.report_data import Binding, NearTeeBinding, profile_of
from near_tee_cli.errors import EvidenceError

_DAY = 86_400
_ZERO48 = bytes(48)
_NO_BLOCKS: Mapping[int, bytes] = {}


class Kind(Enum):
    """What a finding comes to."""

    CONTRADICTED = "contradicted"
    INCONCLUSIVE = "inconclusive"


class Finding(NamedTuple):
    """A rule of the policy that is not met."""

    code: str
    kind: Kind
    detail: str


class Chain(NamedTuple):
    """What a verifier knows of the chain and of its own request."""

    height: int | None = None
    """The height against which ages are judged."""
    blocks: Mapping[int, bytes] = _NO_BLOCKS
    """Hashes of blocks that are known to be of the chain, by height."""
    challenge: bytes | None = None
    """What the verifier itself asked the guest to bind."""


def judge(
    policy: PlatformPolicy,
    verified: Verified,
    *,
    time: int,
    replayed: Replay | None = None,
    compose: bytes | None = None,
    binding: Binding | None = None,
    chain: Chain | None = None,
) -> tuple[Finding, ...]:
    """Every rule of `policy` that verified evidence does not meet at `time` (Unix seconds); none when accepted."""
    td = verified.quote.td
    if td is None:
        return (_no("not-tdx", f"a quote of {verified.quote.tee.value}; a policy accepts TDX guests only"),)
    return (
        *judge_binding(policy, binding),
        *judge_tcb(policy, verified, time=time),
        *judge_td(policy, td),
        *judge_app(policy, td, replayed=replayed, compose=compose),
        *judge_measurements(policy, td, replayed=replayed, time=time),
        *judge_platform(policy, verified),
        *judge_freshness(policy, binding, chain=chain or Chain(), oldest_issue=verified.oldest_issue, time=time),
    )


def judge_binding(policy: PlatformPolicy, binding: Binding | None) -> tuple[Finding, ...]:
    """Codes: `no-binding`, `profile-not-allowed`."""
    if binding is None:
        return (_open("no-binding", "nothing says what the report data binds"),)
    profile = profile_of(binding)
    if profile not in policy.profiles:
        return (_no("profile-not-allowed", f"the policy does not take the profile {profile}"),)
    return ()


def judge_tcb(policy: PlatformPolicy, verified: Verified, *, time: int) -> tuple[Finding, ...]:
    """Codes: `tcb-status`, `advisory-rejected`, `evaluation-too-old`."""
    found = []
    if not _status_accepted(policy, verified, time):
        short = "".join(f"; {line}" for line in shortfall_lines(verified.shortfalls))
        since = date_text(verified.tcb_date)[:10]
        found.append(_no("tcb-status", f"the platform is {verified.status}, its level is of {since}{short}"))
    rejected = sorted(policy.reject_advisories.intersection(verified.advisory_ids))
    if rejected:
        found.append(_no("advisory-rejected", f"the platform is subject to {', '.join(rejected)}"))
    if verified.evaluation_number < policy.min_evaluation_number:
        least = policy.min_evaluation_number
        found.append(
            _open(
                "evaluation-too-old", f"evaluation {verified.evaluation_number}, the policy asks for {least} or later"
            )
        )
    return tuple(found)


def _status_accepted(policy: PlatformPolicy, verified: Verified, time: int) -> bool:
    if verified.status in policy.statuses:
        return True
    days = policy.grace_days.get(verified.status, 0)
    return days > 0 and time <= verified.tcb_date + days * _DAY


def judge_td(policy: PlatformPolicy, td: TdReport) -> tuple[Finding, ...]:
    """Codes: `td-debug`, `td-sept-ve`, `td-pks`, `td-perfmon`, `td-attributes`, `seam-signer`, `seam-not-allowed`,
    `service-td`.
    """
    known = DEBUG | SEPT_VE_DISABLE | PROTECTION_KEYS | PERFMON
    rules = (
        (bool(td.td_attributes & DEBUG), "td-debug", "the guest can be debugged: its host may read and change it"),
        (not td.td_attributes & SEPT_VE_DISABLE, "td-sept-ve", "the guest lacks SEPT_VE_DISABLE"),
        (bool(td.td_attributes & PROTECTION_KEYS) and not policy.allow_pks, "td-pks", "the guest uses protection keys"),
        (bool(td.td_attributes & PERFMON) and not policy.allow_perfmon, "td-perfmon", "the guest uses counters"),
        (bool(td.td_attributes & ~known), "td-attributes", f"the guest has attributes {td.td_attributes & ~known:#x}"),
        (td.mr_signer_seam != _ZERO48, "seam-signer", "the TDX module is not Intel's"),
        (bool(policy.mr_seam) and td.mr_seam not in policy.mr_seam, "seam-not-allowed", "another TDX module"),
        (td.mr_service_td not in (None, _ZERO48), "service-td", "the guest is bound to a service TD"),
    )
    return tuple(_no(code, detail) for broken, code, detail in rules if broken)


def judge_app(
    policy: PlatformPolicy, td: TdReport, *, replayed: Replay | None, compose: bytes | None
) -> tuple[Finding, ...]:
    """Which application ran. A set with `rtmr3` that fits says so by itself, where no list of the app is given.

    Codes: `no-event-log`, `app-unmeasured`, `compose-hash-not-allowed`, `compose-hash-mismatch`, `no-compose`,
    `app-id-not-allowed`, `key-provider-not-allowed`, `config-id-mismatch`, `config-id-missing`,
    `post-event-not-allowed`, and those of `attest.compose`.
    """
    if replayed is None or 3 not in replayed.logged:
        lists = policy.compose_hashes or policy.app_ids or policy.key_providers
        if not lists and any(one.rtmr3 == td.registers[3] for one in policy.measurements):
            return ()
        if replayed is None:
            return (_open("no-event-log", "without an event log nothing says which application ran"),)
        return (_open("app-unmeasured", "the guest measured no application"),)
    measured = replayed.system["compose-hash"]
    found = []
    if measured not in policy.compose_hashes:
        what = "the policy allows none" if not policy.compose_hashes else "not one that the policy allows"
        found.append(_no("compose-hash-not-allowed", f"compose hash {measured.hex()}: {what}"))
    app_id = replayed.system["app-id"]
    if policy.app_ids and app_id not in policy.app_ids:
        found.append(_no("app-id-not-allowed", f"app id {app_id.hex()}"))
    found.extend(_provider_findings(policy, replayed))
    found.extend(_config_id_findings(policy, td, measured))
    others = sorted({event.name for event in replayed.application} - policy.allowed_post_events)
    if others:
        found.append(_no("post-event-not-allowed", f"the application measured {', '.join(others)[:200]}"))
    return (*found, *_compose_findings(policy, compose, measured))


def _provider_findings(policy: PlatformPolicy, replayed: Replay) -> tuple[Finding, ...]:
    if not policy.key_providers:
        return ()
    try:
        provider = key_provider_of(replayed)
    except EvidenceError as error:
        return (_no("key-provider-not-allowed", error.message),)
    if any(_is_provider(provider, name, which) for name, which in policy.key_providers):
        return ()
    return (_no("key-provider-not-allowed", f"key provider {provider.name[:40]} {provider.id.hex()[:200]}"),)


def _is_provider(provider: KeyProvider, name: str, which: bytes | None) -> bool:
    return provider.name == name and which in (None, provider.id)


def _config_id_findings(policy: PlatformPolicy, td: TdReport, measured: bytes) -> tuple[Finding, ...]:
    if td.mr_config_id == _ZERO48:
        if policy.require_mr_config_id:
            return (_no("config-id-missing", "mr_config_id is zero"),)
        return ()
    if td.mr_config_id == config_id_of(measured):
        return ()
    if td.mr_config_id[0] != 1 and not policy.require_mr_config_id:
        return ()
    return (_no("config-id-mismatch", "mr_config_id is not that of the measured compose hash"),)


def _compose_findings(policy: PlatformPolicy, compose: bytes | None, measured: bytes) -> tuple[Finding, ...]:
    if compose is None:
        return (_open("no-compose", "without the compose file nothing says whether its hash pins the code"),)
    if compose_hash(compose) != measured:
        return (_no("compose-hash-mismatch", "the compose file is not the one that was measured"),)
    faults = judge_compose(compose, policy.compose)
    return tuple(_no(fault.code, fault.detail) for fault in faults if fault.code not in policy.accept_compose)


def judge_key_chain(
    policy: PlatformPolicy, key: bytes | None, *, replayed: Replay | None, key_chain: tuple[bytes, ...] | None
) -> tuple[Finding, ...]:
    """Which key management service issued the signing `key` (Borsh), where the policy asks for one.

    Codes: `key-chain-missing`, `key-chain-malformed`, `kms-root-not-allowed`.
    """
    if not policy.kms_roots:
        return ()
    if key is None or key_chain is None or replayed is None or "app-id" not in replayed.system:
        return (_open("key-chain-missing", "nothing says which key management service issued the key"),)
    try:
        found = recover_key_chain(key_chain, purpose=PURPOSE, public_key=key[1:], app_id=replayed.system["app-id"])
    except EvidenceError as error:
        return (_no("key-chain-malformed", error.message),)
    if found.root not in policy.kms_roots:
        return (_no("kms-root-not-allowed", f"the key leads to the service {found.root.hex()}"),)
    return ()


def judge_measurements(
    policy: PlatformPolicy, td: TdReport, *, replayed: Replay | None, time: int
) -> tuple[Finding, ...]:
    """Codes: `measurements-not-allowed`, `measurements-retired`."""
    fitting = matching_sets(policy, td, replayed=replayed)
    if not fitting:
        if not policy.measurements:
            return (_no("measurements-not-allowed", "the policy allows no measurements"),)
        return (_no("measurements-not-allowed", _nearest(policy, td)),)
    if all(one.not_after is not None and time > one.not_after for one in fitting):
        return (_no("measurements-retired", f"{fitting[0].label}: no longer accepted"),)
    return ()


def matching_sets(policy: PlatformPolicy, td: TdReport, *, replayed: Replay | None) -> tuple[Measurements, ...]:
    """The sets of which every value is that of the guest."""
    image = None if replayed is None else replayed.system.get("os-image-hash")
    return tuple(
        one
        for one in policy.measurements
        if not _differing(one, td) and (image is None or one.os_image_hash in (None, image))
    )


def _differing(one: Measurements, td: TdReport) -> tuple[str, ...]:
    pairs = (
        ("mrtd", one.mrtd, td.mr_td),
        ("rtmr0", one.rtmr0, td.registers[0]),
        ("rtmr1", one.rtmr1, td.registers[1]),
        ("rtmr2", one.rtmr2, td.registers[2]),
        ("rtmr3", one.rtmr3, td.registers[3]),
    )
    return tuple(name for name, allowed, found in pairs if allowed is not None and allowed != found)


def _nearest(policy: PlatformPolicy, td: TdReport) -> str:
    """How the set that differs least differs, so that a machine of another size can be told from other code."""
    nearest = min(policy.measurements, key=lambda one: len(_differing(one, td)))
    differing = _differing(nearest, td) or ("os_image_hash",)
    return f"no set fits; {nearest.label} differs in {', '.join(differing)}"


def judge_platform(policy: PlatformPolicy, verified: Verified) -> tuple[Finding, ...]:
    """Codes: `ppid-not-allowed`, `platform-dynamic`, `platform-smt`. What a certificate leaves open is not refused."""
    rules = (
        (bool(policy.ppids) and verified.ppid not in policy.ppids, "ppid-not-allowed", verified.ppid.hex()),
        (verified.dynamic_platform is True and not policy.allow_dynamic, "platform-dynamic", "packages may be added"),
        (verified.smt is True and not policy.allow_smt, "platform-smt", "hyper-threading is on"),
    )
    return tuple(_no(code, detail) for broken, code, detail in rules if broken)


def judge_freshness(
    policy: PlatformPolicy, binding: Binding | None, *, chain: Chain, oldest_issue: int | None, time: int | None
) -> tuple[Finding, ...]:
    """How old evidence and collateral are.

    Codes: `collateral-too-old`, `no-anchor`, `anchor-age-unknown`, `anchor-unknown`, `anchor-too-old`, `anchor-ahead`,
    `anchor-mismatch`, `challenge-missing`, `challenge-mismatch`.
    """
    found = []
    if oldest_issue is not None and time is not None and time - oldest_issue > policy.max_collateral_age_days * _DAY:
        days = (time - oldest_issue) // _DAY
        found.append(_open("collateral-too-old", f"the collateral was issued {days} days before"))
    anchored = binding if isinstance(binding, NearTeeBinding) else None
    found.extend(_anchor_findings(policy, anchored, chain))
    asked = chain.challenge
    if asked is not None and (anchored is None or anchored.challenge != asked):
        found.append(_no("challenge-mismatch", "the quote answers another challenge, or none"))
    if policy.require_challenge and asked is None:
        found.append(_open("challenge-missing", "the policy asks for a challenge and none was given"))
    return tuple(found)


def _anchor_findings(policy: PlatformPolicy, binding: NearTeeBinding | None, chain: Chain) -> tuple[Finding, ...]:
    age = policy.max_anchor_age_blocks
    if binding is None:
        return () if age is None else (_open("no-anchor", "the quote names no block: its age cannot be told"),)
    # A height alone proves nothing: whoever made the quote wrote it down. The hash could not be known before.
    known = chain.blocks.get(binding.anchor_height)
    if known is not None and known != binding.anchor_hash:
        return (_no("anchor-mismatch", f"block {binding.anchor_height} of the chain has another hash"),)
    if age is None:
        return ()
    if chain.height is None:
        return (_open("anchor-age-unknown", "ages are judged against a height, and none was given"),)
    if binding.anchor_height > chain.height:
        return (_open("anchor-ahead", f"the quote names block {binding.anchor_height}, above {chain.height}"),)
    if known is None:
        return (_open("anchor-unknown", f"nobody says whether block {binding.anchor_height} is of the chain"),)
    if chain.height - binding.anchor_height > age:
        return (_open("anchor-too-old", f"{chain.height - binding.anchor_height} blocks, {age} are allowed"),)
    return ()


def _no(code: str, detail: str) -> Finding:
    return Finding(code, Kind.CONTRADICTED, detail)


def _open(code: str, detail: str) -> Finding:
    return Finding(code, Kind.INCONCLUSIVE, detail)
