"""Runs one Rasa command inside Rasa's environment and ends with the process that started it.

Reads one JSON line from standard input: the command's arguments (so that a token never shows in the process list).
Standard input stays open as long as the parent lives, however it dies; at its end the whole process group ends.
"""

import importlib
import json
import os
import signal
import sys
import threading


def _end_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _first_line() -> bytes:
    """Read byte by byte: a buffered read could swallow what the watching thread waits for."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            sys.exit("no command came")
        line += byte
    return line


def main() -> None:
    """Take the arguments, watch the parent, become Rasa."""
    sys.argv = ["rasa", *json.loads(_first_line())]
    threading.Thread(target=_end_with_parent, daemon=True).start()
    importlib.import_module("rasa.__main__").main()


if __name__ == "__main__":
    main()
