"""An environment whose `rasa` is a small script: launcher, pipe, process group and HTTP are real."""

import sys
from pathlib import Path

from nlu.environment import Environment

_RASA = '''
"""Behaves as rasa's command line does, as far as Lotse uses it."""
import json, os, pathlib, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer

HERE = pathlib.Path(__file__).parent.parent


def option(name):
    return sys.argv[sys.argv.index(name) + 1]


def main():
    (HERE / "environ.json").write_text(json.dumps(dict(os.environ)))
    with (HERE / "commands.txt").open("a") as commands:
        commands.write(sys.argv[1] + "\\n")
    {"train": train, "run": serve}[sys.argv[1]]()


def train():
    mood = (HERE / "mood").read_text()
    pathlib.Path(option("--config")).write_text("rewritten: true")
    out = pathlib.Path(option("--out"))
    out.mkdir()
    if mood == "hang":
        time.sleep(600)
    if mood == "fail":
        print("\\x1b[91mInvalidConfigException: no such component\\x1b[0m")
        sys.exit(1)
    (out / (option("--fixed-model-name") + ".tar.gz")).write_bytes(b"a model")


def serve():
    token = option("--auth-token")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.answer({"model_file": option("--model")})

        def do_POST(self):
            text = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"]
            self.answer({"text": text, "intent": {"name": "greet", "confidence": 0.9}, "entities": []})

        def answer(self, body):
            body = json.dumps(body).encode()
            self.send_response(200 if self.path.endswith("?token=" + token) else 401)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    HTTPServer((option("--interface"), int(option("--port"))), Handler).serve_forever()
'''


class RasaStandIn:
    """`environment` is what RasaProcess and train take; `mood` of a training is ok, fail or hang."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        package = folder / "packages" / "rasa"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "__main__.py").write_text(_RASA, "utf-8")
        self.environment = Environment(folder / "environment")
        python = self.environment.python
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\nPYTHONPATH={package.parent} exec {sys.executable} "$@"\n', "utf-8")
        python.chmod(0o700)
        self.feel("ok")

    def feel(self, mood: str) -> None:
        (self.folder / "packages" / "mood").write_text(mood)

    def commands(self) -> list[str]:
        """Every command that was run, in order."""
        log = self.folder / "packages" / "commands.txt"
        return log.read_text().split() if log.exists() else []

    def variables(self) -> str:
        """The environment variables of the last command, as JSON."""
        return (self.folder / "packages" / "environ.json").read_text()
