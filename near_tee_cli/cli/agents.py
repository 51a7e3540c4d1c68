"""The guest agent that a line names, and the key that it binds."""

import os
from typing import Any

from near_tee_cli.cli import files, units
from near_tee_cli.cli.attesting import hexadecimal
from near_tee_cli.cli.bindings import anchor_of
from near_tee_cli.cli.parameters import FLAG, Given, Parameter
from near_tee_cli.errors import HostError, UsageError

_PANEL = "Attestation"
_KINDS = ("ephemeral", "kms")

AGENT = (
    Parameter("agent", ("--agent",), "The guest agent: a socket's path or an http:// address. Default: where a dstack"
              " guest has it.", "ADDRESS", panel=_PANEL),
    Parameter("agent_timeout", ("--agent-timeout",), "Seconds that the agent has for an answer. Default 30.", "SECONDS",
              panel=_PANEL),
)  # fmt: skip
"""Which agent is asked."""

ATTEST = (
    Parameter("attest", ("--attest",), "Sign with a key that lives in this process and is bound by a quote of the"
              " machine.", kind=FLAG, panel=_PANEL),
    Parameter("attest_key", ("--attest-key",), "`ephemeral` (default): made now and gone with the process; `kms`:"
              " derived by the agent, the same after every start.", "KIND", panel=_PANEL),
    Parameter("anchor", ("--anchor",), "A block that is known now; the evidence is not older.", "HEIGHT:HASH",
              panel=_PANEL),
    Parameter("challenge", ("--challenge",), "What a verifier asked to bind, in hexadecimal digits.", "HEX",
              panel=_PANEL),
    Parameter("per_claim", ("--quote-per-claim",), "A quote for each claim instead of one for the key.", kind=FLAG,
              panel=_PANEL),
    Parameter("collateral", ("--collateral",), "Collateral (JSON) to put beside the quote; it can be added or renewed"
              " later.", "FILE", panel=_PANEL),
    *AGENT,
)  # fmt: skip
"""How a key is made and bound."""


def agent_of(given: Given) -> Any:
    """The agent that a line names, or the one of this guest. Raises `UsageError`, and `HostError` without one."""
    from near_tee_cli.attest.guest_agent import ADDRESS_VARIABLE, DEFAULT_SOCKETS, DEFAULT_TIMEOUT, GuestAgent

    timeout = DEFAULT_TIMEOUT
    if given["agent_timeout"] is not None:
        timeout = units.seconds(given["agent_timeout"], "--agent-timeout")
    address = given["agent"] or os.environ.get(ADDRESS_VARIABLE)
    if address is None:
        address = next((path for path in DEFAULT_SOCKETS if os.path.exists(path)), None)
    if address is None:
        raise HostError(
            "this is no dstack guest: there is no agent",
            code="agent-unreachable",
            hint="--agent names one; `near-tee attest simulate` serves one whose evidence proves nothing",
        )
    return GuestAgent(address, timeout=timeout)


def require_attesting(given: Given) -> None:
    """Refuse options of attestation without `--attest`. Raises `UsageError`."""
    for parameter in ATTEST:
        if parameter.name != "attest" and given[parameter.name] not in (None, False) and not given["attest"]:
            raise UsageError(f"{parameter.flags[0]} goes with --attest", where=parameter.flags[0])


def attested_key(given: Given) -> Any:
    """A key of this process, bound. Raises `UsageError`, `BadInputError` and `HostError`."""
    from near_tee_cli.worker.attested_key import Asked, AttestedKey

    kind = given["attest_key"] or "ephemeral"
    if kind not in _KINDS:
        raise UsageError(f"{kind!r} is no kind of key", where="--attest-key", hint="ephemeral or kms")
    height, block_hash = (0, bytes(32)) if given["anchor"] is None else anchor_of(given["anchor"])
    collateral = None
    if given["collateral"] is not None:
        collateral = files.read(given["collateral"], "the collateral", max_bytes=files.MAX_SMALL_BYTES)
    asked = Asked(
        anchor_height=height,
        anchor_hash=block_hash,
        challenge=b"" if given["challenge"] is None else hexadecimal(given["challenge"], "--challenge"),
        per_claim=given["per_claim"],
    )
    return AttestedKey(agent_of(given), kind=kind, asked=asked, collateral=collateral)
