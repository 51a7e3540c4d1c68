"""One module per family of actions, and the table that says who executes which."""
