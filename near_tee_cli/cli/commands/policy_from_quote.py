"""`policy from-quote`: the values of a quote as the sections of a policy, to be edited before it is relied on."""

from typing import Any

from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.parameters import FLAG, OUTPUT, CommandLine, Given, Parameter
from near_tee_cli.cli.report import Report
from near_tee_cli.cli.terminal import plain
from near_tee_cli.errors import EvidenceError, UsageError

LINE = CommandLine(
    name="policy from-quote",
    summary="a policy that accepts what a quote says, as a start to edit",
    description="Write the measured values of QUOTE as a policy. Nothing of the quote is verified here: a policy made"
    " from evidence accepts that evidence, genuine or not. Compare the values with a build of your own first.",
    parameters=(
        Parameter("quote", (), "The quote, in any form.", "QUOTE", required=True),
        Parameter("event_log", ("--event-log",), "The guest's event log (JSON), for compose hash and app id.", "FILE"),
        Parameter("label", ("--label",), "The name of the set of measurements. Default `unnamed`.", "TEXT"),
        Parameter("out", ("--out", "-o"), "Write it there instead of to standard output.", "FILE"),
        Parameter("force", ("--force",), "Replace a file that exists.", kind=FLAG),
        *OUTPUT,
    ),
)

_HEAD = """\
# NOT REVIEWED: taken from a quote that nobody verified. It accepts exactly that guest, genuine or not.
# Before you rely on it: build the image yourself and compare the registers; read the compose file behind the hash;
# decide about [platform] ppids, since whoever holds a machine in hand can break it open. Then delete these lines.
version = 1
"""


def execute(given: Given) -> Report:
    """Write a policy. Raises `BadInputError`, `EvidenceError` for a log that does not fit, `WriteError`."""
    from near_tee_cli.cli import files
    from near_tee_cli.proof.policy import parse_policy
    from near_tee_cli.sources.quote_files import read_event_log_file, read_quote_file
    from near_tee_cli.workspace.atomic import write_file

    data = files.read(given["quote"], "the quote", max_bytes=files.MAX_ARGS_BYTES)
    evidence = read_quote_file(data, "the quote").evidence
    log = evidence.event_log
    if given["event_log"] is not None:
        log = files.read(given["event_log"], "the event log", max_bytes=files.MAX_ARGS_BYTES)
        log = read_event_log_file(log, "the event log")
    label = given["label"] or "unnamed"
    if not label.isprintable() or '"' in label or "\\" in label:
        raise UsageError("a label is printable text without quotes", where="--label")
    text = _HEAD + _sections(evidence.quote, log, label)
    parse_policy(text.encode())
    if given["out"] is not None:
        write_file(given["out"], text.encode(), overwrite=given["force"])
    result = {"path": given["out"], "policy": text}
    lines = text.splitlines() if given["out"] is None else [f"wrote  {plain(given['out'])}, to be edited"]
    return Report(exit_codes.OK, result, lambda _: lines)


def _sections(quote: bytes, log: bytes | None, label: str) -> str:
    from near_tee_cli.attest.quote import parse_quote, td_report_of

    td = td_report_of(parse_quote(quote))
    replayed = None if log is None else _replayed(log, td)
    lines = ["", "[tcb]", 'allowed = ["UpToDate"]', "", "[[measurements]]", f'label = "{label}"']
    lines.append(f'mrtd = "{td.mr_td.hex()}"')
    lines += [f'rtmr{number} = "{td.registers[number].hex()}"' for number in range(3)]
    if replayed is None or 3 not in replayed.logged:
        lines.append(f'rtmr3 = "{td.registers[3].hex()}"   # without a log the register itself says what ran')
        return "\n".join(lines) + "\n"
    image = replayed.system.get("os-image-hash")
    if image is not None:
        lines.append(f'os_image_hash = "{image.hex()}"')
    lines += ["", "[app]", f'compose_hashes = ["{replayed.system["compose-hash"].hex()}"]']
    lines.append(f'app_ids = ["{replayed.system["app-id"].hex()}"]')
    names = sorted({event.name for event in replayed.application})
    if names:
        lines.append(f"allowed_post_events = {_strings(names)}   # the application measured these itself")
    return "\n".join(lines) + "\n"


def _strings(names: list[str]) -> str:
    import json

    return json.dumps(names)


def _replayed(log: bytes, td: Any) -> Any:
    from near_tee_cli.attest.event_log import mismatches, parse_event_log, replay

    replayed = replay(parse_event_log(log))
    differing = mismatches(replayed, td.registers)
    if any(number in replayed.logged for number in differing):
        names = ", ".join(f"RTMR{number}" for number in differing)
        raise EvidenceError(f"the log does not lead to {names} of the quote", code="event-log-mismatch")
    return replayed
