"""One contract call: preparation, engine, host functions and gas. Knows no trie and no receipts."""
