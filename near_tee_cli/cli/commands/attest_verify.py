"""`attest verify`: evidence alone, by the checks that a bundle's evidence passes."""

from typing import Any

from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.attesting import EVIDENCE, NOT_INTEL, attesting_of, check_lines, report_json
from near_tee_cli.cli.bindings import BINDING, CONTENT, binding_of
from near_tee_cli.cli.expecting import EXPECTATIONS, Expected, expected_of
from near_tee_cli.cli.parameters import OUTPUT, CommandLine, Given, Parameter
from near_tee_cli.cli.report import Audience, Report
from near_tee_cli.cli.terminal import BOLD, GREEN, RED, YELLOW, plain
from near_tee_cli.errors import BadInputError

_KNOWN_BLOCKS = tuple(parameter for parameter in EXPECTATIONS if parameter.name in ("policy", "at", "anchors"))
_JUDGED_BY = tuple(parameter for parameter in EVIDENCE if parameter.name != "challenge")

LINE = CommandLine(
    name="attest verify",
    summary="check a quote with all that belongs to it, offline",
    description=(
        "Check QUOTE: raw, hexadecimal, base64, an array of bytes, a guest agent's answer, or evidence of ours. What is"
        " accepted is said by a policy. Ends with 4 when the evidence is contradicted, with 5 when it cannot be told."
    ),
    parameters=(
        Parameter("quote", (), "The quote, in any form.", "QUOTE", required=True),
        Parameter("event_log", ("--event-log",), "The guest's event log (JSON).", "FILE", panel="Evidence"),
        Parameter("compose", ("--compose",), "The compose file as it was measured, byte for byte.", "FILE",
                  panel="Evidence"),
        *_JUDGED_BY,
        *BINDING,
        *CONTENT,
        *_KNOWN_BLOCKS,
        *OUTPUT,
    ),
)  # fmt: skip

_EXITS = {"accepted": exit_codes.OK, "contradicted": exit_codes.VERIFY_FAILED}
_VERDICTS = {"accepted": "established"}


def execute(given: Given) -> Report:
    """Check evidence. Raises `UsageError` and, for files, `BadInputError`."""
    from near_tee_cli.attest.evidence import verify_evidence
    from near_tee_cli.proof.attestation import root_in

    expected = expected_of({**dict.fromkeys(_NAMES), **given})
    attesting = attesting_of(given, expected)
    evidence = _evidence(given)
    if attesting.collateral is not None:
        evidence = evidence._replace(collateral=attesting.collateral)
    report = verify_evidence(
        evidence,
        policy=attesting.policy,
        time=attesting.time,
        chain=attesting.chain,
        dev_root=(attesting.dev_root or root_in(evidence.quote)) if attesting.allow_dev else None,
        allow_dev=attesting.allow_dev,
    )
    word = report.conclusion.value
    result = {
        "verdict": _VERDICTS.get(word, word),
        "code": report.code,
        "message": report.detail,
        "time": attesting.time,
        "policy_digest": _policy_digest(expected),
        "evidence": report_json(report),
        "checks": [_check(one) for one in report.results],
    }
    simulated = report.verified is not None and not report.verified.root_is_intel
    return Report(
        exit_code=_EXITS.get(word, exit_codes.VERIFY_INCONCLUSIVE),
        result=result,
        lines=lambda audience: _lines(result, audience),
        warnings=(NOT_INTEL,) if simulated else (),
        error=_error(result, given["quote"]),
    )


_NAMES = tuple(parameter.name for parameter in EXPECTATIONS)


def _evidence(given: Given) -> Any:
    from near_tee_cli.cli import files
    from near_tee_cli.sources.quote_files import read_event_log_file, read_quote_file

    found = read_quote_file(files.read(given["quote"], "the quote", max_bytes=files.MAX_ARGS_BYTES), "the quote")
    changes: dict[str, Any] = {}
    if given["event_log"] is not None:
        log = files.read(given["event_log"], "the event log", max_bytes=files.MAX_ARGS_BYTES)
        changes["event_log"] = read_event_log_file(log, "the event log")
    if given["compose"] is not None:
        changes["compose"] = files.read(given["compose"], "the compose file", max_bytes=files.MAX_ARGS_BYTES)
    binding = binding_of(given)
    if binding is not None:
        changes["binding"] = binding
    return found.evidence._replace(**changes)


def _policy_digest(expected: Expected) -> str | None:
    if expected.policy is None:
        return None
    if expected.policy.platform is None:
        raise BadInputError("the policy says nothing about platforms", code="bad-policy")
    return "sha256:" + str(expected.policy.digest.hex())


def _check(one: Any) -> dict[str, Any]:
    return {
        "number": one.number,
        "name": one.name,
        "result": one.status.value,
        "detail": one.detail,
        "code": one.code,
        "findings": [{"code": item.code, "kind": item.kind.value, "detail": item.detail} for item in one.findings],
    }


def _error(result: dict[str, Any], path: str) -> dict[str, Any] | None:
    if result["verdict"] == "established":
        return None
    return {"code": result["code"], "message": result["message"], "hint": None, "where": path}


def _lines(result: dict[str, Any], audience: Audience) -> list[str]:
    if audience.quiet:
        return [result["verdict"]]
    style, evidence = audience.style, result["evidence"]
    lines = [f"{style('evidence', BOLD)}  {evidence['identity'] or ''}  {evidence['tee'] or ''}"]
    if evidence["measurements"] is not None:
        lines += [f"  {name:14} {value}" for name, value in evidence["measurements"].items()]
    lines += check_lines(result["checks"], style)
    colour = {"established": GREEN, "contradicted": RED}.get(result["verdict"], YELLOW)
    verdict = style(result["verdict"].upper(), colour, BOLD)
    lines.append(f"{style('verdict', BOLD)}  {verdict}  {plain(result['message'])}")
    return lines
