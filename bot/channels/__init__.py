"""One module per platform; each translates between it and the port."""
