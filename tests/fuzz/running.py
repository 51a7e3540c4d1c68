"""One input against one parser."""

import pathlib
import time

from near_tee_cli.errors import NearTeeError
from tests.fuzz.targets import Target

CORPUS = pathlib.Path(__file__).parent / "corpus"
SECONDS = 2.0
"""More than any input of this size may take."""


class Finding(Exception):
    """What an input did that it must not."""


def tried(target: Target, data: bytes) -> bool:
    """Whether the parser took `data`. Raises `Finding` for whatever is neither a value nor a refusal."""
    begun = time.monotonic()
    try:
        value = target.parse(data)
    except NearTeeError as error:
        if error.code == "internal" or "\n" in error.message or len(error.message) > 2000:
            raise Finding(f"an error that nobody should see: {error.message[:200]!r}") from error
        return False
    except Exception as error:
        raise Finding(f"{type(error).__name__}: {error}") from error
    if time.monotonic() - begun > SECONDS:
        raise Finding(f"took {time.monotonic() - begun:.1f} seconds")
    if target.again is not None and target.again(value) != data:
        raise Finding("a second spelling of the same content")
    return True


def stored(name: str) -> list[bytes]:
    """What was found for a target before."""
    folder = CORPUS / name
    return [path.read_bytes() for path in sorted(folder.iterdir())] if folder.is_dir() else []
