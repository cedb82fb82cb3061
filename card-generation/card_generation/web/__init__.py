"""The HTTP face of the service: the contract's routes, and nothing of its rules."""
