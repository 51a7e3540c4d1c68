"""A key tried out before the work that ends with signing: in a child, so that what starts other children has none."""

import os

from near_tee_cli.attest.trust import require_strict_key
from near_tee_cli.cli.isolated import paths
from near_tee_cli.cli.key_file import read_secret_key, require_secret_key
from near_tee_cli.cli.keyring_store import is_in_keyring
from near_tee_cli.errors import BadInputError, HostError, NearTeeError
from near_tee_cli.isolate.bounds import Bounds
from near_tee_cli.isolate.child import Child, Death, Paths
from near_tee_cli.primitives import canonical_json as cj

_BOUNDS = Bounds(wall_seconds=10, cpu_seconds=10, output_bytes=1 << 16)


def require_usable_key(place: str) -> None:
    """Refuse a key file that cannot be read, or that holds no key to sign claims with. Raises `BadInputError`.

    What a keyring holds is seen at the end only: it may ask its owner each time, and a child cannot reach it.
    """
    if is_in_keyring(place):
        return
    require_secret_key(place)
    readable = (*paths().readable, os.path.abspath(place))
    answer = Child(lambda _: _tried(place), bounds=_BOUNDS, paths=Paths(readable, ())).wait()
    if isinstance(answer, Death):
        raise HostError(f"the key {place} cannot be tried out: {answer.message}", code=answer.code)
    error = cj.mapping(cj.loads(answer, "the answer"), "the answer")
    if error:
        raise BadInputError(cj.string(error.get("message"), "message"), code=cj.string(error.get("code"), "code"))


def _tried(place: str) -> bytes:
    """In the child: what is wrong with a key."""
    try:
        require_strict_key(read_secret_key(place).public_key())
    except NearTeeError as error:
        return cj.dumps({"code": error.code, "message": error.message})
    return cj.dumps({})
