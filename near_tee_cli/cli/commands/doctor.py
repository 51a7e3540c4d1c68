"""`doctor`: use everything that this program relies on, and say what was found."""

import os
import sys
from collections.abc import Callable
from typing import Any

from near_tee_cli.cli import exit_codes
from near_tee_cli.cli.parameters import OUTPUT, CommandLine, Given
from near_tee_cli.cli.report import Audience, Report
from near_tee_cli.cli.terminal import GREEN, RED, YELLOW, plain

LINE = CommandLine(
    name="doctor",
    summary="check this installation and say what was found",
    description="Check the engine with each compiler, the libraries, the parameters and the cache of compiled code.",
    parameters=OUTPUT,
    executes=True,
)

PASSED, FAILED, LIMITED = "passed", "failed", "limited"
"""It works; it does not, and commands will fail; something works more slowly or not at all, and is said."""


def execute(_given: Given) -> Report:
    """Run every check. Findings are in the report; nothing of them raises."""
    found = [*_interpreter(), *_engine(), *_libraries(), *_parameters(), *_cache()]
    broken = [finding for finding in found if finding["result"] == FAILED]
    error = None
    if broken:
        first = broken[0]
        error = {
            "code": "unfit",
            "message": f"{len(broken)} of {len(found)} checks failed: {first['check']}: {first['detail']}",
            "hint": first["hint"],
            "where": None,
        }
    return Report(
        exit_code=exit_codes.INTERNAL if broken else exit_codes.OK,
        result={"findings": found, "passed": not broken},
        lines=lambda audience: _lines(found, audience),
        error=error,
    )


def _finding(check: str, result: str, detail: str, hint: str | None = None) -> dict[str, Any]:
    return {"check": check, "result": result, "detail": detail, "hint": hint}


def _interpreter() -> list[dict[str, Any]]:
    version = sys.version.split()[0]
    fits = sys.version_info >= (3, 11)
    return [_finding("python", PASSED if fits else FAILED, f"{sys.implementation.name} {version} on {sys.platform}")]


def _engine() -> list[dict[str, Any]]:
    from near_tee_cli.params.features import LATEST_VERSION
    from near_tee_cli.params.store import config_at
    from near_tee_cli.vm.selftest import findings

    hint = "install a supported one: pip install 'wasmtime>=48,<51'"
    result = []
    for finding in findings(config_at(LATEST_VERSION).vm):
        name = finding.check if finding.compiler is None else f"{finding.compiler}: {finding.check}"
        result.append(_finding(name, PASSED if finding.passed else FAILED, finding.detail, hint))
    return result


def _libraries() -> list[dict[str, Any]]:
    """Each cryptographic library does one computation whose result is known."""
    from near_tee_cli.primitives import hashes, keys
    from near_tee_cli.primitives.curves import alt_bn128, bls12_381, p256

    digest = hashes.sha256(b"sample")
    p256_key = bytes.fromhex("0360fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6")
    p256_signature = bytes.fromhex(
        "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
        "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
    )
    generator = bytes.fromhex(
        "17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"
        "08b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1"
    )

    def signs(scheme: int) -> bool:
        secret = keys.secret_key_from_seed("doctor", scheme=scheme)
        return keys.verify(keys.public_key_of(secret), digest, keys.sign(secret, digest))

    def cancels() -> bool:
        total = bls12_381.p1_sum(b"\0" + generator + b"\1" + generator, not_in_group_fix=True)
        return total == b"\x40" + bytes(95)

    def meets() -> bool:
        one, two = (number.to_bytes(32, "little") for number in (1, 2))
        return alt_bn128.g1_sum(b"\0" + one + two + b"\1" + one + two) == bytes(64)

    checks: tuple[tuple[str, str, Callable[[], bool]], ...] = (
        ("ed25519", "pynacl", lambda: signs(keys.ED25519)),
        ("secp256k1", "coincurve", lambda: signs(keys.SECP256K1)),
        (
            "keccak256",
            "pycryptodome",
            lambda: hashes.keccak256(b"").hex().startswith("c5d2460186f7233c927e7db2dcc703c0"),
        ),
        ("p256", "cryptography", lambda: p256.verify_prehash(p256_key, digest, p256_signature)),
        ("bls12-381", "py-arkworks-bls12381", cancels),
        ("alt_bn128", "near-tee itself", meets),
    )
    return [_library_finding(*check) for check in checks]


def _library_finding(name: str, library: str, works: Callable[[], bool]) -> dict[str, Any]:
    try:
        right = works()
    except (ImportError, AttributeError, TypeError) as error:
        return _finding(name, FAILED, f"{library}: {error}", f"pip install --upgrade {library}")
    detail = f"{library} computes as expected" if right else f"{library} gives another result than expected"
    return _finding(name, PASSED if right else FAILED, detail, f"pip install --upgrade {library}")


def _parameters() -> list[dict[str, Any]]:
    from near_tee_cli.params.features import SUPPORTED_VERSIONS
    from near_tee_cli.params.store import config_at

    digests = [f"{version} {config_at(version).digest.hex()[:8]}" for version in SUPPORTED_VERSIONS]
    return [_finding("protocol versions", PASSED, ", ".join(digests))]


def _cache() -> list[dict[str, Any]]:
    from near_tee_cli.cli.machine import EXECUTING, cache_directory
    from near_tee_cli.errors import HostError
    from near_tee_cli.workspace.code_cache import DiskCodeCache

    directory = cache_directory()
    try:
        DiskCodeCache(directory, EXECUTING).close()
    except HostError as error:
        return [_finding("code cache", LIMITED, error.message, error.hint)]
    size = sum(entry.stat().st_size for entry in os.scandir(os.path.join(directory, EXECUTING)) if entry.is_file())
    return [_finding("code cache", PASSED, f"{directory}, {size / 1e6:.1f} MB")]


def _lines(found: list[dict[str, Any]], audience: Audience) -> list[str]:
    style = audience.style
    colours = {PASSED: GREEN, FAILED: RED, LIMITED: YELLOW}
    width = max(len(finding["check"]) for finding in found)
    shown = [finding for finding in found if not audience.quiet or finding["result"] == FAILED]
    lines = [
        f"{style(finding['result'].ljust(7), colours[finding['result']])}  {finding['check'].ljust(width)}"
        f"  {plain(finding['detail'])}"
        for finding in shown
    ]
    return lines or ["passed"]
