"""Sets up understanding: Rasa as a child or at its own address, with the in-process understander beside it."""

import logging
import threading
from dataclasses import dataclass

from bot.settings import Settings
from nlu.embedded import EmbeddedUnderstander
from nlu.environment import Environment
from nlu.port import Understander
from nlu.rasa_process import RasaProcess
from nlu.rasa_server import RasaServer
from nlu.training import TrainingFailed, model_path, train
from nlu.understander import ResilientUnderstander

logger = logging.getLogger(__name__)


@dataclass
class Understanding:
    """The understander and, where Lotse starts it itself, the Rasa process behind it."""

    understander: Understander
    settings: Settings
    environment: Environment | None = None
    process: RasaProcess | None = None
    server: RasaServer | None = None

    def start(self) -> None:
        """Train (where the data changed) and start Rasa; nobody waits for it, until then the other one serves."""
        if self.process is not None:
            if isinstance(self.understander, ResilientUnderstander):
                self.understander.hold("Rasa is starting and takes over in a moment")
            threading.Thread(target=self._start_rasa, name="rasa-start", daemon=True).start()

    def _start_rasa(self) -> None:
        if self.environment is None or self.process is None:
            return
        try:
            train(self.environment, self.settings.nlu.models)
            self.process.start()
        except (OSError, TrainingFailed):
            logger.exception("Rasa could not be started; the in-process understander serves")
            return
        self.process.watch()

    def stop(self) -> None:
        """End Rasa, where Lotse started it."""
        if isinstance(self.understander, ResilientUnderstander):
            self.understander.close()
        if self.process is not None:
            self.process.stop()
        if self.server is not None:
            self.server.close()

    def health(self) -> dict[str, str]:
        """`understander`, `state` (`ok` or `degraded`) and `reason`."""
        if not isinstance(self.understander, ResilientUnderstander):
            return {"understander": type(self.understander).__name__, "state": "ok", "reason": ""}
        health = self.understander.health()
        return {**health, "state": "degraded" if health["state"] == "degraded" else "ok"}


def set_up_understanding(settings: Settings, given: Understander | None = None) -> Understanding:
    """The understanding the settings ask for; nothing is started yet. given: one that a test brings."""
    if given is not None:
        return Understanding(given, settings)
    nlu, embedded = settings.nlu, EmbeddedUnderstander()
    if nlu.url is not None:
        server = RasaServer(nlu.url, settings.secret(nlu.token_env), nlu.timeout)
        return Understanding(ResilientUnderstander(server, embedded, nlu.timeout), settings, server=server)
    environment = Environment(nlu.environment.absolute())  # Rasa works in a folder of its own
    if not nlu.use_rasa or not environment.is_ready():
        why = "nlu.use_rasa is off" if not nlu.use_rasa else "no Rasa environment: make run or lotse nlu train makes it"
        return Understanding(ResilientUnderstander(None, embedded, why_embedded=why), settings)
    process = RasaProcess(environment, model_path(nlu.models))
    server = RasaServer(process.url, process.token, nlu.timeout)
    return Understanding(ResilientUnderstander(server, embedded, nlu.timeout), settings, environment, process, server)
