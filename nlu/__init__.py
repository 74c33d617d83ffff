"""Understanding: what the person wants, and in which language."""
