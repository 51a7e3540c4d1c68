"""`python -m tests.reject`: write the corpus to `fixtures/reject`."""

import shutil

from tests.reject.corpus import FOLDER, write

if FOLDER.exists():
    shutil.rmtree(FOLDER)
print(f"{write(FOLDER)} bundles in {FOLDER}")
