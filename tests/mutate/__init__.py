"""Mutation testing of the verifier: every small mistake in it has to be noticed.

`make mutate` changes one thing at a time in the modules of `proof/` that decide, and holds each mutant against the
corpus of bundles that must be refused, and those that must not; what survives is tried with the unit tests.
`SURVIVORS.md` lists the mutants that nothing can notice, each with the reason why it accepts no bad bundle.
"""
