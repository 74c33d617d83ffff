"""Microsoft Teams: the channel, its cards and dialogs, and what arrives from it."""
