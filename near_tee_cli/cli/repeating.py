"""What executing a bundle again may use, as options: contracts that it only names, time and gas."""

from near_tee_cli.cli.parameters import MANY, Parameter

CODES = Parameter(
    "codes", ("--code",), "A contract or program for files that only name its hash; repeat for several.", "WASM",
    kind=MANY, panel="Demands",
)  # fmt: skip
TIME_LIMIT = Parameter(
    "time_limit", ("--time-limit",), "Seconds that executing one bundle again may take. Default 60.", "SECONDS",
    panel="Demands",
)  # fmt: skip
MAX_GAS = Parameter("max_gas", ("--max-gas",), "Gas that executing again may burn.", "GAS", panel="Demands")


def codes_of(paths: tuple[str, ...]) -> dict[bytes, bytes]:
    """The contracts at `paths` by their hash. Raises `BadInputError`."""
    from near_tee_cli.cli import files
    from near_tee_cli.primitives.hashes import sha256

    codes = [files.read(path, "the contract", max_bytes=files.MAX_CONTRACT_BYTES) for path in paths]
    return {sha256(code): code for code in codes}


def time_limit_of(text: str | None, default: float | None) -> float | None:
    """Seconds. Raises `UsageError`."""
    if text is None:
        return default
    from near_tee_cli.cli.units import seconds

    return seconds(text, "--time-limit")


def max_gas_of(text: str | None, default: int | None) -> int:
    """Gas. Raises `UsageError`."""
    from near_tee_cli.cli.units import gas
    from near_tee_cli.proof.limits import DEFAULT_MAX_GAS

    if text is None:
        return DEFAULT_MAX_GAS if default is None else default
    return gas(text, "--max-gas", limit=2**64 - 1)
