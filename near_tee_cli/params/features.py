"""Protocol versions that are implemented, and the named behaviour that a version switches on.

Every rule that differs between implemented versions and is not a parameter asks here, by name.

Mirrors nearcore: core/primitives-core/src/version.rs
"""

from enum import Enum, auto

from near_tee_cli.errors import UnsupportedError

SUPPORTED_VERSIONS = (83, 84, 85, 86)
"""Protocol versions that are executed exactly, oldest first."""

LATEST_VERSION = SUPPORTED_VERSIONS[-1]


class Feature(Enum):
    """A named change of behaviour."""

    FIX_DELEGATE_ACTION_DEPOSIT_WITH_FUNCTION_CALL_ERROR = auto()
    FIX_DELETE_ACCOUNT_GLOBAL_CONTRACT_STORAGE_USAGE = auto()
    FIX_DELEGATED_DETERMINISTIC_STATE_INIT = auto()
    GAS_KEYS = auto()
    STRICT_NONCE = auto()
    POST_QUANTUM_SIGNATURES = auto()
    UNIQUE_CHUNK_TRANSACTIONS = auto()
    YIELD_WITH_ID = auto()
    EXECUTION_METADATA_V4 = auto()
    CLAMP_OUTGOING_GAS_ADMISSION = auto()
    ACCOUNT_COST_INCREASE = auto()
    DELEGATE_V2 = auto()
    FIX_CONTRACT_LOADING_ERROR = auto()

    @property
    def first_version(self) -> int:
        """The protocol version that brought this behaviour."""
        return 86 if self is Feature.FIX_CONTRACT_LOADING_ERROR else 85

    def enabled(self, protocol_version: int) -> bool:
        """Whether this behaviour rules at `protocol_version`."""
        return protocol_version >= self.first_version


def require_supported(protocol_version: int) -> None:
    """Refuse, by name, a protocol version whose rules are not implemented. Raises `UnsupportedError`."""
    if protocol_version not in SUPPORTED_VERSIONS:
        known = ", ".join(map(str, SUPPORTED_VERSIONS))
        raise UnsupportedError(
            f"protocol version {protocol_version} is not implemented (known: {known})", what="protocol-version"
        )
