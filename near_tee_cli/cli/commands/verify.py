"""`verify`: check bundles, offline, by default by executing them again."""

from typing import Any

from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.attesting import EVIDENCE, NOT_INTEL, attesting_of, check_lines, evidence_lines, require_asked
from near_tee_cli.cli.emitting import EMIT, emit, require_emitting
from near_tee_cli.cli.expecting import EXPECTATIONS, Expected, expected_of, trusts_of
from near_tee_cli.cli.many_options import MANY_BUNDLES
from near_tee_cli.cli.parameters import COMPILER, FLAG, MANY, OUTPUT, CommandLine, Given, Parameter
from near_tee_cli.cli.repeating import CODES, MAX_GAS, TIME_LIMIT, codes_of, max_gas_of, time_limit_of
from near_tee_cli.cli.report import Audience, Report
from near_tee_cli.cli.terminal import BOLD, GREEN, RED, YELLOW, Style, plain
from near_tee_cli.errors import UsageError

STRENGTHS = ("consistent", "signed", "attested", "re-executed")

LINE = CommandLine(
    name="verify",
    summary="check proof bundles, by default by executing them again",
    description=(
        "Check each BUNDLE. Without options the claim is established by executing it again from the witness in the"
        " bundle. Ends with 4 when a claim is contradicted, with 5 when something asked for cannot be told."
    ),
    parameters=(
        Parameter("bundles", (), "Proof bundles, chain files, claims about programs, or directories of them.",
                  "BUNDLE...", kind=MANY, required=True),
        Parameter("no_replay", ("--no-replay",), "Execute nothing: check that the claim is consistent.", kind=FLAG,
                  panel="Demands"),
        Parameter("require", ("--require",),
                  f"A strength that has to be established: {', '.join(STRENGTHS)}; repeat for several.", "STRENGTH",
                  kind=MANY, panel="Demands"),
        CODES,
        Parameter("chain", ("--chain",), "The bundles are a chain in this order: each has to continue the one before.",
                  kind=FLAG, panel="Demands"),
        Parameter("jobs", ("--jobs", "-J"), "How many bundles are executed at once. Default: one for each processor.",
                  "N", panel="Demands"),
        TIME_LIMIT,
        MAX_GAS,
        Parameter("signer", ("--signer",), "A key that is trusted, as ed25519:...; `signed` is required then. Repeat"
                  " for several.", "KEY", kind=MANY, panel="Demands"),
        Parameter("threshold", ("--threshold",), "How many of the signers must have signed. Default 1.", "N",
                  panel="Demands"),
        *EXPECTATIONS,
        *EVIDENCE,
        *MANY_BUNDLES,
        *EMIT,
        COMPILER,
        *OUTPUT,
    ),
)  # fmt: skip

_UNSHOWN = (" decided", "not part of this kind of claim")
"""Ends of details that people need not read."""

_WORST = (exit_codes.VERIFY_FAILED, exit_codes.BAD_INPUT, exit_codes.VERIFY_INCONCLUSIVE, exit_codes.OK)


def execute(given: Given) -> Report:
    """Verify every bundle of a line; one that cannot be read does not stop the others."""
    from near_tee_cli.cli import verify_results
    from near_tee_cli.cli.verifying import verified
    from near_tee_cli.proof.chain import Chain
    from near_tee_cli.proof.report import Strength

    verify_results.require_one_form(given)
    if given["junit"] is not None:
        from near_tee_cli.cli.junit_file import require_junit_place

        require_junit_place(given["junit"])
    require_emitting(given)
    expected = expected_of(given)
    demands = _demands(given, expected)
    executor = None
    if Strength.RE_EXECUTED in demands.required:
        from near_tee_cli.cli.isolated import executor as isolated

        limit = time_limit_of(given["time_limit"], None if expected.policy is None else expected.policy.time_limit)
        executor = isolated(given["compiler"], seconds=limit)
    chain = Chain() if given["chain"] else None
    found = verified(given["bundles"], demands, chain=chain, executor=executor, expected=expected, hands=_hands(given))
    entries = verify_results.collected(found, given, lines=_lines)
    if given["junit"] is not None:
        from near_tee_cli.cli.junit_file import write_junit

        write_junit(given["junit"], verify_results.junit_document(entries))
    emitted = emit(given, entries, policy=expected.policy)
    said = {} if executor is None else executor.said
    worst = min(entries, key=lambda entry: _WORST.index(entry["exit"]))
    time = None if demands.attesting is None else demands.attesting.time
    result = {**(worst if len(entries) == 1 else {"verdict": worst["verdict"]}), "time": time, "bundles": entries}
    error = _error(worst)
    return Report(
        exit_code=worst["exit"],
        result=result,
        lines=lambda _: (),
        warnings=(*said.get("warnings", ()), *_dev_warnings(entries), *emitted),
        engine=said.get("engine"),
        error=error,
        document=verify_results.last_line(worst, entries, time=time, error=error) if given["jsonl"] else None,
    )


def _dev_warnings(entries: list[dict[str, Any]]) -> tuple[str, ...]:
    simulated = [one for one in entries if "attested" in one["strengths"] and one["evidence"]["mode"] == "simulated"]
    return (NOT_INTEL,) if simulated else ()


def _demands(given: Given, expected: Expected) -> Any:
    from near_tee_cli.proof.report import Strength
    from near_tee_cli.proof.verifier import Demands

    required = _required(given, expected)
    require_asked(given, asked=Strength.ATTESTED in required)
    return Demands(
        required,
        codes=codes_of(given["codes"]),
        trusts=trusts_of(given, expected),
        expectations=expected.sets,
        anchors=expected.anchors,
        attesting=attesting_of(given, expected) if Strength.ATTESTED in required else None,
        max_gas=max_gas_of(given["max_gas"], None if expected.policy is None else expected.policy.max_gas),
    )


def _hands(given: Given) -> int:
    import os

    from near_tee_cli.cli.units import number

    return (0 if given["jobs"] is None else number(given["jobs"], "--jobs", bound=1024)) or os.cpu_count() or 1


def _required(given: Given, expected: Expected) -> frozenset[Any]:
    from near_tee_cli.proof.report import Strength
    from near_tee_cli.proof.verifier import DEFAULT_REQUIRED, NO_REPLAY

    names = [name for text in given["require"] for name in text.split(",")]
    for name in names:
        if name not in STRENGTHS:
            raise UsageError(f"{name!r} is no strength", where="--require", hint=f"one of {', '.join(STRENGTHS)}")
    if given["no_replay"] and Strength.RE_EXECUTED.value in names:
        raise UsageError("--no-replay contradicts --require re-executed", where="--no-replay")
    asked = {Strength(name) for name in names}
    if expected.policy is not None:
        asked |= expected.policy.require
    if given["no_replay"] and Strength.RE_EXECUTED in asked:
        raise UsageError("--no-replay contradicts the policy, which requires re-executed", where="--no-replay")
    required = frozenset(asked) or (NO_REPLAY if given["no_replay"] else DEFAULT_REQUIRED)
    signed = given["signer"] or (expected.policy is not None and expected.policy.signers)
    attested = expected.policy is not None and expected.policy.platform is not None
    besides = {strength for strength, asked in ((Strength.SIGNED, signed), (Strength.ATTESTED, attested)) if asked}
    return required | NO_REPLAY | besides


def _error(worst: dict[str, Any]) -> dict[str, Any] | None:
    if worst["exit"] == exit_codes.OK:
        return None
    return {"code": worst["code"], "message": worst["message"], "hint": None, "where": worst["path"]}


def _lines(entry: dict[str, Any], audience: Audience) -> list[str]:
    if audience.quiet:
        return [f"{entry['verdict']}  {plain(entry['path'])}"]
    return _entry_lines(entry, audience.style)


def _was_made(entry: dict[str, Any], name: str) -> bool:
    return any(check["name"] == name and check["result"] != "not-made" for check in entry["checks"])


def _claim_lines(entry: dict[str, Any]) -> list[str]:
    """What is claimed of a state or of a program, in a few lines; none when it could not be read."""
    if entry["claim"] is not None:
        from near_tee_cli.cli.claims import claim_lines

        return claim_lines(entry)
    if entry.get("wasi") is None:
        return []
    from near_tee_cli.cli.wasi_verifying import claim_lines as program_lines

    return program_lines(entry["wasi"])


def _says_nothing(check: dict[str, Any]) -> bool:
    """Whether a check was not made for a reason that stands elsewhere, or is about evidence where there is none."""
    detail = str(check["detail"])
    return detail.endswith(_UNSHOWN) or (check["number"] > _LAST and detail == "not present")


_LAST = 21
"""The last check that is not about evidence."""


def _entry_lines(entry: dict[str, Any], style: Style) -> list[str]:
    lines = [f"{style('bundle', BOLD)}  {plain(entry['path'])}"]
    if entry["file_digest"] is not None:
        lines[0] += f"  {entry['size']:,} bytes  {entry['file_digest']}"
    claim = _claim_lines(entry)
    lines += [f"  claims: {line}" if at == 0 else f"          {line}" for at, line in enumerate(claim)]
    lines += evidence_lines(entry)
    shown = [check for check in entry["checks"] if check["code"] or not _says_nothing(check)]
    lines += check_lines(shown, style)
    expected = entry["expected"]
    if expected is not None and expected["unconstrained"] and _was_made(entry, "expectations"):
        lines.append(f"{style('open', BOLD)}  nothing is expected of {', '.join(expected['unconstrained'])}")
    colour = {"established": GREEN, "contradicted": RED}.get(entry["verdict"], YELLOW)
    what = f"  {plain(entry['message'].removeprefix('established: '))}"
    lines.append(f"{style('verdict', BOLD)}  {style(entry['verdict'].upper(), colour, BOLD)}{what}")
    return lines
