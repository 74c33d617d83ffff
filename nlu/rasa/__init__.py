"""The Rasa project: what is trained, and the two files that run inside Rasa's own environment."""
