"""The error tree of the whole package.

A contract that fails is not an error here: that is a value, hashed into its outcome. What stands in this
file stops *us*: input that nobody can use, evidence that does not hold, a host that cannot go on, or a
defect of our own. Exit codes belong to the command line; every class only names its stable `code`.

    NearTeeError
    ├── UsageError             the request itself makes no sense
    ├── BadInputError          a file or value is malformed, too large or unreadable
    │   └── UnsupportedError   well formed, but a version or feature that is not implemented
    ├── StateError             the state at hand cannot answer
    │   ├── MissingNodeError   a trie node or value that the witness or store lacks
    │   └── InconsistentStateError  rows that contradict one another
    ├── NotResumableError      there is no such pending yield, or no longer
    ├── EvidenceError          a bundle contradicts what it claims
    ├── UndecidedError         whether a bundle holds cannot be told
    ├── WriteError             the result could not be stored
    └── HostError              the machine or the engine cannot run this
"""


class NearTeeError(Exception):
    """Anything that stops a command; `code` is stable, `message` is for people.

    `hint` says what to try and `where` names the place (file, field, offset), both optional.
    """

    code = "internal"

    def __init__(
        self, message: str, *, code: str | None = None, hint: str | None = None, where: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.where = where
        if code is not None:
            self.code = code


class UsageError(NearTeeError):
    """The request contradicts itself or names something that does not exist."""

    code = "usage"


class BadInputError(NearTeeError):
    """A file or value cannot be used as it is: malformed, oversized, unreadable."""

    code = "bad-input"


class UnsupportedError(BadInputError):
    """Well-formed input that needs a protocol version or feature outside what is implemented.

    `what` completes the code: `unsupported-<what>`.
    """

    def __init__(self, message: str, *, what: str, hint: str | None = None, where: str | None = None) -> None:
        super().__init__(message, code=f"unsupported-{what}", hint=hint, where=where)


class StateError(NearTeeError):
    """The state cannot answer what was asked of it."""

    code = "bad-state"


class MissingNodeError(StateError):
    """A trie node or value is not there: unknown, which is never the same as absent."""

    code = "missing-node"

    def __init__(self, node_hash: bytes, *, root: bytes | None = None, key: bytes | None = None) -> None:
        at = "" if root is None else f" under root {root.hex()}"
        on = "" if key is None else f" on the path of key {key.hex()}"
        super().__init__(f"trie node {node_hash.hex()} is missing{at}{on}")
        self.node_hash = node_hash
        self.root = root
        self.key = key


class InconsistentStateError(StateError):
    """Rows of the state contradict one another, so that no node could apply this block."""

    code = "inconsistent-state"


class NotResumableError(NearTeeError):
    """There is no such pending yield, or there is none any more."""

    code = "not-resumable"


class EvidenceError(NearTeeError):
    """A claim is contradicted by the evidence that comes with it."""

    code = "verify-failed"


class UndecidedError(NearTeeError):
    """Whether a bundle holds cannot be told: something is missing here, or it costs too much."""

    code = "undecided"


class WriteError(NearTeeError):
    """A result could not be stored; nothing half-written is left behind."""

    code = "write-failed"


class HostError(NearTeeError):
    """The machine or the engine cannot execute this: never an outcome of the contract."""

    code = "host-failure"
