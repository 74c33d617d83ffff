"""The conversation: channels, engine, decision, delivery, web pages and the command line."""
