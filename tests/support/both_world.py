"""One Lotse in a fake Teams and a fake Slack at once, and on its web pages: people who meet only through it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from fake_slack import FakeSlack
from slack_world import SlackWorld
from teams_world import TeamsWorld

from bot.app import App

Platform = Literal["slack", "teams"]


@dataclass
class BothWorld(TeamsWorld):
    """A TeamsWorld whose Lotse is in Slack, too. agents: where the service desk works; the network team and the third
    level work on the other platform. `slack` has the people and the channels there."""

    fake_slack: FakeSlack = field(kw_only=True)
    agents: Platform = field(kw_only=True)
    slack: "SlackSide" = field(init=False)

    def __post_init__(self) -> None:
        self.slack = SlackSide(self.fake_slack, self.clock, "http", self.database_url, self.folder, both=self)
        super().__post_init__()

    def sections(self) -> dict[str, Any]:
        teams, slack = super().sections(), self.slack.sections()
        desk, other = (slack, teams) if self.agents == "slack" else (teams, slack)
        queues = {
            "service-desk": desk["handoff"]["queues"]["service-desk"],
            "network": other["handoff"]["queues"]["network"],
            "people": {"channel": "desk-2"},
        }
        handoff = {"queues": queues, "third_level": other["handoff"]["third_level"]}
        return {**teams, "slack": slack["slack"], "handoff": handoff}

    def secrets(self) -> dict[str, str]:
        return super().secrets() | self.slack.secrets()

    def start(self) -> App:
        app = super().start()
        self.slack.serve(app)
        return app

    def _end(self, app: App) -> None:
        super()._end(app)
        self.slack.servers[-1].stop()

    def calm(self) -> None:
        super().calm()
        self.slack.calm()


@dataclass
class SlackSide(SlackWorld):
    """The people in Slack. What is worked off is worked off everywhere."""

    both: BothWorld = field(kw_only=True)

    def __post_init__(self) -> None:
        self.settle_in()

    @property
    def app(self) -> App:
        return self.both.app

    def close(self) -> None:
        self.both.close()

    def settle(self) -> None:
        self.both.settle()


MakeBothWorld = Callable[..., BothWorld]
