"""The functions that a contract may import from `env`, by family, and the table of all of them."""
