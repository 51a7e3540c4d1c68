"""Static analyses of function bodies: where gas is charged, and how much stack a call takes."""
