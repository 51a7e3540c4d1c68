"""`attest simulate`: a dstack guest agent for laptops and tests, whose evidence is NOT INTEL."""

import os
import sys
from collections.abc import Mapping
from typing import Any, Self

from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.parameters import FLAG, MANY, OUTPUT, CommandLine, Given, Parameter
from near_tee_cli.cli.report import Report
from near_tee_cli.cli.terminal import plain, warn
from near_tee_cli.errors import UsageError

NOTICE = "NOT INTEL: everything from this agent is simulated and proves nothing about any machine"

LINE = CommandLine(
    name="attest simulate",
    summary="a simulated dstack guest agent; its evidence is NOT INTEL",
    description="Serve a dstack guest agent on a unix socket until interrupted: version, info, quotes, keys and"
    " signatures, as inside a TDX guest, but under a root certificate of its own. NOT INTEL: what it attests is"
    " accepted only by whoever names that root and asks for simulated evidence. A line on stdout says when it is"
    " ready.",
    parameters=(
        Parameter("socket", ("--socket",), "Where to listen; nothing may be there.", "PATH"),
        Parameter(
            "misbehave",
            ("--misbehave",),
            "Do something wrong; repeat for more. `list` says what there is.",
            "KIND",
            kind=MANY,
        ),
        Parameter("compose", ("--compose",), "The compose file (app-compose.json) that is measured.", "FILE"),
        Parameter("tcb_status", ("--tcb-status",), "How the machine stands: UpToDate (default), OutOfDate ...", "WORD"),
        Parameter("seed", ("--seed",), "Text that all keys and the root follow from; otherwise drawn anew.", "TEXT"),
        Parameter("issued", ("--issued",), "Date of the collateral in Unix seconds; otherwise now.", "UNIX"),
        Parameter("write_root", ("--write-root",), "Write the root certificate (DER) there.", "FILE"),
        Parameter("write_collateral", ("--write-collateral",), "Write the collateral (JSON) there.", "FILE"),
        Parameter("force", ("--force",), "Replace files that exist.", kind=FLAG),
        *OUTPUT,
    ),
)


def execute(given: Given) -> Report:
    """Serve until interrupted. Raises `UsageError`, `BadInputError` and `WriteError`."""
    from near_tee_cli.attest.simulator import MISBEHAVIOURS
    from near_tee_cli.attest.simulator_server import SimulatedAgent

    if "list" in given["misbehave"]:
        width = max(map(len, MISBEHAVIOURS))
        return Report(
            exit_codes.OK,
            {"misbehaviours": dict(MISBEHAVIOURS)},
            lambda _: [f"{name.ljust(width)}  {words}" for name, words in MISBEHAVIOURS.items()],
        )
    if given["socket"] is None:
        raise UsageError("an agent needs --socket PATH to listen at", where="--socket")
    guest = _guest(given)
    with SimulatedAgent(guest, given["socket"]), _Stop() as stop:
        _write(given, guest)
        _say_ready(given, _members(given, guest))
        stop.wait()
    return Report(exit_codes.OK, {}, lambda _: [], document="")


def _guest(given: Given) -> Any:
    import secrets
    import time

    from near_tee_cli.attest.compose import MAX_COMPOSE_BYTES
    from near_tee_cli.attest.platform_policy import STATUSES
    from near_tee_cli.attest.simulator import DEFAULT_COMPOSE, SimulatedGuest
    from near_tee_cli.attest.synthetic_pki import Platform
    from near_tee_cli.cli import files, units
    from near_tee_cli.cli.outputs import require_free

    for path in (given["write_root"], given["write_collateral"]):
        if path is not None:
            require_free(path, force=given["force"])
    status = given["tcb_status"] or "UpToDate"
    if status not in (*STATUSES, "Revoked"):
        raise UsageError(
            f"--tcb-status is {status[:60]!r}", where="--tcb-status", hint=f"known are {', '.join(STATUSES)}, Revoked"
        )
    compose = given["compose"]
    return SimulatedGuest(
        seed=secrets.token_bytes(32) if given["seed"] is None else given["seed"].encode(errors="surrogateescape"),
        issued=int(time.time()) if given["issued"] is None else units.number(given["issued"], "--issued"),
        compose=DEFAULT_COMPOSE
        if compose is None
        else files.read(compose, "the compose file", max_bytes=MAX_COMPOSE_BYTES),
        platform=Platform(status=status),
        misbehave=frozenset(given["misbehave"]),
    )


def _write(given: Given, guest: Any) -> None:
    from near_tee_cli.workspace.atomic import write_file

    if given["write_root"] is not None:
        write_file(given["write_root"], guest.pki.root, overwrite=given["force"])
    if given["write_collateral"] is not None:
        write_file(given["write_collateral"], guest.pki.collateral(), overwrite=given["force"])


def _members(given: Given, guest: Any) -> Mapping[str, Any]:
    from near_tee_cli.primitives.hashes import sha256

    return {
        "simulated": True,
        "notice": NOTICE,
        "socket": os.path.abspath(given["socket"]),
        "root": given["write_root"],
        "root_sha256": sha256(guest.pki.root).hex(),
        "collateral": given["write_collateral"],
        "issued": guest.pki.issued,
        "expires": guest.pki.expires,
        "app_id": guest.app_id.hex(),
        "compose_hash": guest.compose_hash.hex(),
        "os_image_hash": guest.image_hash.hex(),
        "mrtd": guest.mr_td.hex(),
        "registers": [register.hex() for register in guest.registers],
        "kms_root": guest.kms_root.hex(),
        "misbehave": sorted(guest.misbehave),
    }


def _say_ready(given: Given, members: Mapping[str, Any]) -> None:
    """The line that says that connections are accepted, at once and whole."""
    if not given["quiet"]:
        warn(NOTICE)
    if given["json"] or given["output"] == "json":
        from near_tee_cli.cli.json_output import document

        text = document(LINE.name, exit_codes.OK, result=members, warnings=[NOTICE])
    else:
        odd = f"  misbehaves: {', '.join(members['misbehave'])}" if members["misbehave"] else ""
        text = f"ready  {plain(members['socket'])}  NOT INTEL, simulated{odd}"
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class _Stop:
    """Ctrl-C or a request to end, waited for; both end this command well."""

    def __init__(self) -> None:
        import threading

        self._asked = threading.Event()
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        import signal

        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, lambda *_: self._asked.set())
        return self

    def __exit__(self, *_: object) -> None:
        import signal

        for number, handler in self._before.items():
            signal.signal(number, handler)

    def wait(self) -> None:
        """Until it is asked for."""
        self._asked.wait()
