"""Slack says "too many" and fails at random: nothing is lost, doubled or out of order, and the pace is kept."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from fake_slack import Actor, Message
from slack_world import MERGE, SlackWorld, words
from together import at_once

PEOPLE, MESSAGES, WORKERS = 20, 500, 4
BRANCH = {"branch": {"words": ["Filiale"], "queue": "network"}}  # half of them write to the other team's channel
EVERY, RETRY_AFTER, SHARE = 5, 2, 0.05
LONGEST = 3000  # seconds of the fake clock


@dataclass
class Case:
    """An employee's conversation: what they and the agents wrote in it, in order."""

    employee: Actor
    root: Message
    card: Message
    asked: list[str] = field(default_factory=list)
    answered: list[tuple[str, str]] = field(default_factory=list)


@pytest.mark.timeout(300)
def test_500_messages_in_20_conversations_survive_limits_and_failures(
    make_slack_world: Callable[..., SlackWorld], note: Callable[[str, str], None]
) -> None:
    slack, chance = make_slack_world("http", sensitive=BRANCH), random.Random(4)
    slack.fake.pace = 1.0
    cases = open_cases(slack)
    before = len(slack.fake.calls)
    slack.fake.rate_limit(EVERY, RETRY_AFTER)
    slack.fake.flaky(SHARE, seed=5)
    for number in range(MESSAGES):
        write(slack, chance.choice(cases), number, chance)
        if number % 10 == 0:
            slack.clock.move(seconds=1.0)
            work(slack)
    seconds = work_off(slack)
    slack.fake.rate_limit(0)
    slack.fake.flaky(0)
    note(f"{slack.app.house.sessions.engine.dialect.name}: {MESSAGES} messages", report(slack, before, seconds))
    for case in cases:
        check(slack, case)
    rooms = [slack.desk, slack.network, *(case.employee.im for case in cases)]
    assert min(slack.fake.shortest_gap(room) for room in rooms) >= 0.99
    check_limits_were_met(slack, before)


def open_cases(slack: SlackWorld) -> list[Case]:
    people = [slack.fake.user(f"Person {number:02}") for number in range(PEOPLE)]
    words_of = ("Ich möchte mit einem Menschen sprechen.", "Ich bin in der Filiale.")
    roots = [one.dm(words_of[number % 2]) for number, one in enumerate(people)]
    slack.clock.move(seconds=MERGE)
    work_off(slack)
    cards = [*slack.roots(slack.desk), *slack.roots(slack.network)]
    assert len(slack.roots(slack.network)) == PEOPLE // 2
    by_name = {next(one.user.real_name for one in people if one.user.real_name in words(card)): card for card in cards}
    return [Case(one, root, by_name[one.user.real_name]) for one, root in zip(people, roots, strict=True)]


def write(slack: SlackWorld, case: Case, number: int, chance: random.Random) -> None:
    if chance.random() < 0.45:
        case.asked.append(f"Frage {number}")
        case.employee.dm(case.asked[-1], case.root)
    else:
        agent = chance.choice((slack.maren, slack.tomasz))
        case.answered.append((agent.user.real_name, f"Antwort {number}"))
        agent.posts(case.card.channel, f"Antwort {number}", case.card)


def work(slack: SlackWorld) -> None:
    """Everything that is due now, by several workers at once."""
    at_once([slack.app.worker.work_off] * WORKERS)


def work_off(slack: SlackWorld) -> int:
    """Everything, second by second; how many seconds it took."""
    slack.calm()
    for second in range(LONGEST):
        work(slack)
        if slack.counts().settled:
            return second
        slack.clock.move(seconds=1.0)
    raise AssertionError(f"not everything was worked off: {slack.counts()}")


def check(slack: SlackWorld, case: Case) -> None:
    """Both sides have read everything once, in order."""
    employee = case.employee
    told = [(post.username, words(post)) for post in slack.fake.said(employee.im, case.root) if post.username]
    assert told == case.answered
    heard = [words(post) for post in slack.thread(case.card) if post.username == employee.user.real_name]
    assert heard == case.asked


def report(slack: SlackWorld, before: int, seconds: int) -> str:
    calls = slack.fake.calls[before:]
    outcomes = Counter(call.outcome for call in calls)
    posts = [call for call in calls if call.method == "chat.postMessage"]
    accepted = sum(call.outcome == "ok" for call in posts)
    gaps = ", ".join(f"{slack.fake.shortest_gap(room):.3f} s" for room in (slack.desk, slack.network))
    return (
        f"in {PEOPLE} conversations nothing lost, doubled or out of order. {len(calls)} calls of Slack: "
        f"{dict(outcomes.most_common())}; {len(posts)} of them posts, {accepted} accepted at once; the last "
        f"{seconds} s after the last message, at Slack's pace; shortest gaps in the two hand-off channels: {gaps}"
    )


def check_limits_were_met(slack: SlackWorld, before: int) -> None:
    """The faults were there, for posts and for questions, and no post was more than Slack takes in a second."""
    calls = slack.fake.calls[before:]
    failed = Counter(call.method for call in calls if call.outcome != "ok")
    assert failed["chat.postMessage"] > MESSAGES // 10
    assert failed["conversations.replies"] > 0
    assert {"http 500", "http 502", "http 503", "ratelimited"} <= {call.outcome for call in calls}
