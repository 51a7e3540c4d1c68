"""The must-reject corpus: bundles that have to be refused, each with the reason and the exact answer.

`python -m tests.reject` writes it to `fixtures/reject`, one directory for each bundle; what lies there is compared
with what is made here, so that neither changes alone. Any other verifier can be held against the directories.
"""
