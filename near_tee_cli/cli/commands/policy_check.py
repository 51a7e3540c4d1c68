"""`policy check`: read a policy file as `verify` would, and say what it demands and what it leaves open."""

from typing import Any

from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.parameters import OUTPUT, CommandLine, Given, Parameter
from near_tee_cli.cli.report import Audience, Report
from near_tee_cli.cli.terminal import BOLD, YELLOW, plain

LINE = CommandLine(
    name="policy check",
    summary="read a policy file as verify would, and say what it leaves open",
    description="Read FILE strictly. Ends with 6 when verify would refuse it. What it leaves open is said, since nobody"
    " would look for it.",
    parameters=(Parameter("file", (), "The policy (TOML).", "FILE", required=True), *OUTPUT),
)


def execute(given: Given) -> Report:
    """Read a policy. Raises `BadInputError`."""
    from near_tee_cli.cli import files
    from near_tee_cli.proof.expectations import unconstrained
    from near_tee_cli.proof.policy import MAX_POLICY_BYTES, parse_policy

    policy = parse_policy(files.read(given["file"], "the policy", max_bytes=MAX_POLICY_BYTES))
    platform = policy.platform
    required = {strength.value for strength in policy.require}
    required |= {"signed"} if policy.signers else set()
    required |= {"attested"} if platform is not None else set()
    result = {
        "path": given["file"],
        "policy_digest": "sha256:" + policy.digest.hex(),
        "required": sorted(required),
        "signers": len(policy.signers),
        "threshold": policy.threshold,
        "unconstrained": list(unconstrained((policy.expectations,))),
        "measurements": [] if platform is None else [one.label for one in platform.measurements],
        "open": [] if platform is None else _open(platform),
    }
    return Report(exit_codes.OK, result, lambda audience: _lines(result, audience))


def _open(platform: Any) -> list[str]:
    """What a policy about platforms lets through, or what it can never accept."""
    named = any(one.rtmr3 is not None for one in platform.measurements)
    told = (
        (not platform.measurements, "no measurements are listed: nothing is ever accepted"),
        (not platform.compose_hashes and not named, "no compose hash is listed: nothing is ever accepted"),
        (bool(platform.statuses - {"UpToDate"}), "platforms with known holes are accepted"),
        (not platform.ppids, "any machine is accepted: whoever has one in hand can break it open"),
        (not platform.key_providers, "any key provider is accepted"),
        (
            bool(platform.accept_compose),
            f"compose files with {', '.join(sorted(platform.accept_compose))} are accepted",
        ),
        (not platform.require_challenge and platform.max_anchor_age_blocks is None, "evidence of any age is accepted"),
        (platform.allow_pks or platform.allow_perfmon, "guests with optional attributes are accepted"),
    )
    return [words for is_so, words in told if is_so]


def _lines(result: dict[str, Any], audience: Audience) -> list[str]:
    if audience.quiet:
        return [result["policy_digest"]]
    style = audience.style
    lines = [f"{style('policy', BOLD)}  {plain(result['path'])}  {result['policy_digest']}"]
    lines.append(f"  requires  {', '.join(result['required']) or 'what verify requires by itself'}")
    if result["signers"]:
        lines.append(f"  signers   {result['threshold']} of {result['signers']}")
    if result["measurements"]:
        lines.append(f"  accepts   {plain(', '.join(result['measurements']))}")
    if result["unconstrained"]:
        lines.append(f"  {style('open', YELLOW)}      nothing is expected of {', '.join(result['unconstrained'])}")
    lines += [f"  {style('open', YELLOW)}      {plain(words)}" for words in result["open"]]
    return lines
