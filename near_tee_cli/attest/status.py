"""What becomes of a check, in evidence and in bundles alike."""

from enum import Enum


class Status(Enum):
    """What became of one check."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_MADE = "not-made"
