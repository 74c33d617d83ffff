"""The record: places, people, conversations, messages, tickets and their transcript."""
