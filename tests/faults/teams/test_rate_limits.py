"""Teams says "too many" and fails at random: nothing is lost, doubled or out of order, and its pace is kept."""

import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from fake_teams import Actor, Call, Channel, Message
from teams_posts import WANTS_PERSON, answers_in, database, installed, twice
from teams_world import MERGE, MakeTeamsWorld, TeamsWorld
from together import at_once

CASES, MESSAGES, WORKERS = 20, 500, 4
BRANCH = {"branch": {"words": ["Filiale"], "queue": "network"}}  # some of them write to the other team's channel
RATE = {429: 0.07, 412: 0.05, 500: 0.01, 502: 0.015, 503: 0.01, 504: 0.015}  # the work was not done
RETRY_AFTER = 2
PACE = ((7, 1.0), (60, 30.0))  # posts of a bot to a conversation, in so many seconds
BUSY = [20, *[1] * (CASES - 1)]  # the first conversation gets half of all that is written
TICK, LONGEST = 0.5, 1500  # seconds of the fake clock


@dataclass
class Case:
    """An employee's conversation: where it is, and what they and the agents wrote in it, in order."""

    employee: Actor
    where: Channel
    root: Message | None
    card: Message
    asked: list[str] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)


@pytest.mark.timeout(600)
def test_500_messages_in_20_conversations_survive_limits_and_failures(
    make_teams_world: MakeTeamsWorld, note: Callable[[str, str], None], caplog: pytest.LogCaptureFixture
) -> None:
    teams, chance = installed(make_teams_world, sensitive=BRANCH), random.Random(4)
    cases = open_cases(teams)
    before = len(teams.fake.calls)
    teams.fake.faults.random(5, RATE, path="*/activities*", retry_after=RETRY_AFTER)
    for number in range(MESSAGES):
        write(teams, chance.choices(cases, BUSY)[0], number, chance)
        if number % 10 == 0:
            teams.clock.move(seconds=TICK)
            work(teams)
    seconds = work_off(teams)
    teams.fake.faults.clear()
    calls = teams.fake.calls[before:]
    note(f"{database(teams)}: {MESSAGES} messages", report(calls, seconds))
    for case in cases:
        check(teams, case)
    assert twice(teams) == {}
    check_pace(calls)
    check_failures_were_met(calls)
    assert [record for record in caplog.records if record.exc_info] == []  # nothing of it was unexpected


def open_cases(teams: TeamsWorld) -> list[Case]:
    """A third of them in personal chats, a third in group chats, a third in threads of a channel."""
    people = [teams.fake.user(f"Person {number:02}") for number in range(CASES)]
    begun = [begin(teams, one, number) for number, one in enumerate(people)]
    teams.clock.move(seconds=MERGE)
    work_off(teams)
    cards = [*teams.fake.roots(teams.desk), *teams.fake.roots(teams.network)]
    assert len(cards) == CASES
    assert len(teams.fake.roots(teams.network)) > 1
    by_name = {next(one.name for one in people if one.name in teams.words(card)): card for card in cards}
    return [Case(one, where, root, by_name[one.name]) for one, (where, root) in zip(people, begun, strict=True)]


def begin(teams: TeamsWorld, person: Actor, number: int) -> tuple[Channel, Message | None]:
    """A case of theirs; where it is, and what opened its thread."""
    text = "Ich bin in der Filiale." if number % 4 == 3 else WANTS_PERSON
    if number % 3 == 0:
        person.writes(text)
        return person.room, None
    if number % 3 == 1:
        group = teams.fake.group(person, teams.owen)
        person.writes(text, group, mention=True)
        return group, None
    person.joins(teams.company)
    return teams.help, person.writes(text, teams.help)


def write(teams: TeamsWorld, case: Case, number: int, chance: random.Random) -> None:
    if chance.random() < 0.45:
        case.asked.append(f"Frage {number}")
        in_group = case.where.kind == "groupChat"
        case.employee.writes(case.asked[-1], case.where, case.root, mention=in_group)
    else:
        agent = chance.choice((teams.maren, teams.tomasz))
        case.answered.append(f"{agent.name}\nAntwort {number}")
        agent.writes(f"Antwort {number}", thread=case.card)


def work(teams: TeamsWorld) -> None:
    """Everything that is due now, by several workers at once."""
    at_once([teams.app.worker.work_off] * WORKERS)


def work_off(teams: TeamsWorld) -> float:
    """Everything, tick by tick; how many seconds it took."""
    teams.calm()
    for tick in range(int(LONGEST / TICK)):
        work(teams)
        if teams.counts().settled:
            return tick * TICK
        teams.clock.move(seconds=TICK)
    raise AssertionError(f"not everything was worked off: {teams.counts()}")


def check(teams: TeamsWorld, case: Case) -> None:
    """Both sides have read everything once, in order."""
    posts = answers_in(teams, case.root) if case.root is not None else teams.fake.said(case.where)
    told = [teams.words(post) for post in posts]
    assert [one[one.index(name_of(one)) :] for one in told if "Antwort" in one] == case.answered
    heard = [teams.words(post) for post in teams.thread(case.card)]
    assert [one for one in heard if "Frage" in one] == [f"{case.employee.name}\n{one}" for one in case.asked]


def name_of(told: str) -> str:
    """Who speaks; in a group chat the mention of whose case it is stands before."""
    return next(name for name in ("Maren Tiede", "Tomasz Wilk") if name in told)


def posts_of(calls: list[Call]) -> list[Call]:
    """What counts for Teams' pace: posts and changes of them."""
    return [call for call in calls if "/activities" in call.path and call.method in {"POST", "PUT"}]


def conversation_of(call: Call) -> str:
    return call.path.split("/")[4]


def report(calls: list[Call], seconds: float) -> str:
    posts = posts_of(calls)
    outcomes = Counter(call.error or "ok" for call in posts)
    most = ", ".join(f"{most_within(posts, span)} in {span:.0f} s" for _, span in PACE)
    return (
        f"in {CASES} conversations nothing lost, doubled or out of order. {len(posts)} posts and changes: "
        f"{dict(outcomes.most_common())}; the last {seconds:.0f} s after the last message, at Teams' pace; the most in "
        f"one conversation, refused ones too: {most}"
    )


def most_within(posts: list[Call], span: float) -> int:
    """The most requests to one conversation in any stretch of so many seconds, whatever became of them."""
    times: dict[str, list[float]] = {}
    for call in posts:
        times.setdefault(conversation_of(call), []).append(call.at)
    return max(number + 1 - bisect_right(at, now - span) for at in times.values() for number, now in enumerate(at))


def check_pace(calls: list[Call]) -> None:
    """Lotse keeps it by itself, with everything it tries: Teams has to refuse nothing for it."""
    for most, span in PACE:
        assert most_within(posts_of(calls), span) <= most


def check_failures_were_met(calls: list[Call]) -> None:
    failed = Counter(call.status for call in posts_of(calls) if call.status >= 400)
    assert set(failed) == set(RATE)
    assert failed.total() > MESSAGES // 10
