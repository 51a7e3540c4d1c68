"""What a line of `verify` judges evidence by, and how evidence is shown."""

import time as clock
from collections.abc import Mapping
from typing import Any

from near_tee_cli.cli import files, units
from near_tee_cli.cli.parameters import FLAG, Given, Parameter
from near_tee_cli.cli.terminal import DIM, GREEN, RED, Style, plain
from near_tee_cli.errors import BadInputError, UsageError

_PANEL = "Evidence"

EVIDENCE = (
    Parameter("time", ("--time",), "The time at which evidence is judged, your own assertion: `now` (default) or Unix"
              " seconds.", "TIME", panel=_PANEL),
    Parameter("collateral", ("--collateral",), "Collateral (JSON) to take instead of the bundle's.", "FILE",
              panel=_PANEL),
    Parameter("challenge", ("--challenge",), "What you asked the environment to bind, in hexadecimal digits.", "HEX",
              panel=_PANEL),
    Parameter("allow_dev", ("--allow-dev-evidence",), "Accept simulated evidence, which proves nothing: for laptops and"
              " tests.", kind=FLAG, panel=_PANEL),
    Parameter("dev_root", ("--dev-root",), "The root certificate that simulated evidence has to lead to, PEM or DER.",
              "FILE", panel=_PANEL),
)  # fmt: skip
"""Options of evidence."""

SIMULATED = "NOT INTEL: this evidence is simulated and proves nothing about any machine"
NOT_INTEL = "NOT INTEL: simulated evidence was accepted, which proves nothing about any machine"


def attesting_of(given: Given, expected: Any) -> Any:
    """What evidence is judged by. Raises `UsageError` and, for files, `BadInputError`."""
    from near_tee_cli.attest.appraisal import Chain
    from near_tee_cli.proof.attestation import Attesting

    if given["dev_root"] is not None and not given["allow_dev"]:
        raise UsageError("--dev-root goes with --allow-dev-evidence", where="--dev-root")
    collateral = None
    if given["collateral"] is not None:
        collateral = files.read(given["collateral"], "the collateral", max_bytes=files.MAX_SMALL_BYTES)
    known = {anchor.height: anchor.block_hash for anchor in expected.anchors if anchor.block_hash is not None}
    return Attesting(
        policy=None if expected.policy is None else expected.policy.platform,
        time=time_of(given["time"]),
        collateral=collateral,
        chain=Chain(
            height=max((anchor.height for anchor in expected.anchors), default=None),
            blocks=known,
            challenge=None if given["challenge"] is None else hexadecimal(given["challenge"], "--challenge"),
        ),
        dev_root=None if given["dev_root"] is None else root_of(given["dev_root"]),
        allow_dev=given["allow_dev"],
    )


def require_asked(given: Given, *, asked: bool) -> None:
    """Refuse options of evidence where nobody asks for it. Raises `UsageError`."""
    for parameter in EVIDENCE:
        if not asked and given[parameter.name] not in (None, False):
            raise UsageError(
                f"{parameter.flags[0]} is about evidence, and `attested` is not asked for",
                where=parameter.flags[0],
                hint="add --require attested, or a policy with sections about platforms",
            )


def time_of(text: str | None) -> int:
    """The time that a line asserts. Raises `UsageError`."""
    return int(clock.time()) if text in (None, "now") else units.number(text or "", "--time", bound=2**40)


def root_of(path: str) -> bytes:
    """A root certificate (DER). Raises `BadInputError`."""
    from near_tee_cli.proof.attestation import root_in

    data = files.read(path, "the root certificate", max_bytes=files.MAX_SMALL_BYTES)
    if not data.startswith(b"-----"):
        return data
    found = root_in(data)
    if found is None:
        raise BadInputError(f"{path} holds no certificate", code="bad-certificate", where=path)
    return found


def hexadecimal(text: str, flag: str) -> bytes:
    """The bytes of hexadecimal digits. Raises `UsageError`."""
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise UsageError(f"{flag} takes hexadecimal digits", where=flag) from error


def evidence_json(found: Any) -> dict[str, Any] | None:
    """Evidence that stands beside a claim, for programs; `None` without any."""
    if found is None:
        return None
    from near_tee_cli.attest.report_data import profile_of
    from near_tee_cli.primitives.keys import public_key_text

    environment, binding = found.environment, found.binding
    return {
        "key": public_key_text(found.key),
        "mode": None if environment is None else environment.mode,
        "profile": None if binding is None else profile_of(binding),
        **report_json(found.report),
        "collateral_from": _collateral_from(found),
    }


def _collateral_from(found: Any) -> str | None:
    if found.report.collateral is None:
        return None
    return "verifier" if found.collateral_of_verifier else "bundle"


def report_json(report: Any) -> dict[str, Any]:
    """What evidence says, believed or not: measured values, the signatures' answer, and when it may be believed."""
    quote, verified, refusal, collateral = report.quote, report.verified, report.refusal, report.collateral
    td = None if quote is None else quote.td
    shortfalls = () if refusal is None and verified is None else (verified or refusal).shortfalls
    return {
        "identity": None if quote is None else "sha256:" + quote.identity.hex(),
        "tee": None if quote is None else quote.tee.value,
        "measurements": None if td is None else _measurements(td),
        "report_data": None if quote is None else quote.report_data.hex(),
        "tcb": None if verified is None else _tcb(verified),
        "refused": None if refusal is None else refusal.raw,
        "window": None if collateral is None else _window((verified or refusal or collateral).window),
        "issued": None if collateral is None else collateral.oldest_issue,
        "evaluation_number": None if collateral is None else collateral.evaluation_number,
        "shortfalls": [{"component": one.component, "has": one.has, "needs": one.needs} for one in shortfalls],
        "events": None if report.replayed is None else _events(report.replayed),
        "labels": list(report.labels),
    }


def _measurements(td: Any) -> dict[str, str]:
    registers = {f"rtmr{number}": value.hex() for number, value in enumerate(td.registers)}
    return {
        "mrtd": td.mr_td.hex(),
        **registers,
        "mr_seam": td.mr_seam.hex(),
        "mr_config_id": td.mr_config_id.hex(),
        "td_attributes": f"{td.td_attributes:016x}",
    }


def _tcb(verified: Any) -> dict[str, Any]:
    return {
        "status": verified.status,
        "advisories": list(verified.advisory_ids),
        "ppid": verified.ppid.hex(),
        "fmspc": verified.fmspc.hex(),
        "root": "intel" if verified.root_is_intel else "NOT INTEL",
    }


def _window(window: Any) -> dict[str, int]:
    return {"from": window.start, "until": window.end}


def _events(replayed: Any) -> dict[str, Any]:
    system: Mapping[str, bytes] = replayed.system
    return {
        "system": {name: payload.hex() for name, payload in system.items()},
        "application": [event.name for event in replayed.application],
    }


def check_lines(checks: list[dict[str, Any]], style: Style) -> list[str]:
    """A line for each check, for people."""
    lines = []
    for check in checks:
        passed, skipped = check["result"] == "passed", check["result"] == "not-made"
        mark = style("pass", GREEN) if passed else style("  - ", DIM) if skipped else style("FAIL", RED)
        lines.append(f"  {mark} {check['number']:2} {check['name']:14} {plain(check['detail'])}")
    return lines


def evidence_lines(entry: dict[str, Any]) -> list[str]:
    """Evidence for people; nothing without any."""
    evidence = entry["evidence"]
    if evidence is None:
        return []
    lines = [f"  evidence: {evidence['key']} in {evidence['mode'] or 'no named'} {evidence['tee'] or 'environment'}"]
    tcb, window = evidence["tcb"], evidence["window"]
    if tcb is not None:
        also = f", {', '.join(tcb['advisories'])}" if tcb["advisories"] else ""
        lines.append(f"            {tcb['status']}{also}, machine {tcb['ppid']}")
    if window is not None:
        from near_tee_cli.attest.collateral import date_text

        told = f"{date_text(window['from'])} to {date_text(window['until'])}"
        lines.append(f"            collateral of the {evidence['collateral_from']}, believed from {told}")
    lines += [
        f"            {one['component']} is {one['has']}, {one['needs']} is needed" for one in evidence["shortfalls"]
    ]
    return lines
