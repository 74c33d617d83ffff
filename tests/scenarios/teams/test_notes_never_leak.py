"""A note never reaches the employee: random traffic around a ticket, checked on every call to Teams."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal

import pytest
from fake_teams import Actor, Call, Dialog, Message, Upload
from fake_teams_activities import changed_activity
from fake_teams_cards import buttons_of
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from teams_cards import told
from teams_world import TeamsWorld

from handoff.models import Kind
from handoff.models import Message as Record

EXAMPLES, STEPS = 20, 12
MakeWorld = Callable[..., TeamsWorld]
Mode = Literal["conversation", "explicit"]
Where = Literal["chat", "help", "group"]
PREFIXES = (
    *("//", "// ", "🔒", "🔒 ", "  // ", "//\n", "🔒\n"),
    *("🔐 ", "🔏", "/note ", "/reply // ", "@Tomasz Wilk // ", "@Tomasz Wilk, @Maren Tiede 🔒 "),
)
QUOTE = '<blockquote itemtype="http://schema.skype.com/Reply"><strong>Tomasz Wilk</strong><p>🔒 {}</p></blockquote>'
SHAPES = (
    *("<p><b>🔒 {}</b></p>", "<ul><li>// {}</li></ul>", "<blockquote>🔒 {}</blockquote>"),
    '<p><emoji id="lock" alt="🔒"></emoji> {}</p>',
    '<p><img src="x" alt="image" itemtype="http://schema.skype.com/AMSImage"></p><p>🔒 {}</p>',
)
NAMES = count(1)


@dataclass(frozen=True)
class Step:
    """One thing that somebody does. which: of the things it can be done to."""

    what: str
    agent: int = 0
    which: int = 0
    prefix: str = "//"
    file: bool = False


WHAT = (
    *("plain", "reply_command", "prefixed", "formatted", "formatted", "note_button", "reply_button"),
    *("reply_button_prefixed", "quoting_reply", "edit_note", "edit_note", "edit_reply", "edit_reply_to_note"),
    *("delete_note", "restore_note", "delete_reply", "third_level", "late_note", "late_edit_first", "claim"),
    *("escalate", "hand_back", "resolve", "reopen", "employee_writes", "employee_asks_state", "employee_presses"),
    *("ticket_form_note", "search", "restart"),
)
STEP = st.builds(
    Step, st.sampled_from(WHAT), st.integers(0, 1), st.integers(0, 9), st.sampled_from(PREFIXES), st.booleans()
)


@dataclass
class Traffic:
    """The words of one ticket. notes, replies: what agents wrote, by their marks; the unmistakable words in them."""

    teams: TeamsWorld
    mode: Mode
    where: Where
    employee: Actor
    root: Message
    card: Message
    notes: list[str] = field(default_factory=list)
    replies: list[str] = field(default_factory=list)
    written_notes: list[tuple[Actor, Message]] = field(default_factory=list)
    written_replies: list[tuple[Actor, Message]] = field(default_factory=list)

    # --- words --------------------------------------------------------------------------------------------------------
    def note(self) -> str:
        self.notes.append(f"SECRET{next(NAMES):05}")
        return self.notes[-1]

    def reply(self) -> str:
        self.replies.append(f"OPEN{next(NAMES):05}")
        return self.replies[-1]

    def images(self, mark: str, step: Step) -> list[Upload]:
        return [Upload(f"{mark}.png", f"Inhalt {mark}".encode(), "image/png")] if step.file else []

    def agent(self, step: Step) -> Actor:
        return (self.teams.maren, self.teams.tomasz)[step.agent]

    # --- what agents do -----------------------------------------------------------------------------------------------
    def do(self, step: Step) -> None:
        getattr(self, step.what)(step)
        if step.which % 3 == 0:
            self.teams.settle()

    def posts(self, agent: Actor, text: str, images: list[Upload], *, note: bool) -> None:
        written = agent.writes(text, thread=self.card, images=images)
        (self.written_notes if note else self.written_replies).append((agent, written))

    def plain(self, step: Step) -> None:
        """A plain message is a reply, in explicit mode a note."""
        note = self.mode == "explicit"
        mark = self.note() if note else self.reply()
        self.posts(self.agent(step), mark, self.images(mark, step), note=note)

    def reply_command(self, step: Step) -> None:
        mark = self.reply()
        self.posts(self.agent(step), f"/reply {mark}", self.images(mark, step), note=False)

    def prefixed(self, step: Step) -> None:
        mark = self.note()
        self.posts(self.agent(step), f"{step.prefix}{mark}", self.images(mark, step), note=True)

    def formatted(self, step: Step) -> None:
        """A note in bold, in a list, as a quote, with the lock as Teams' own emoji."""
        lock = '<emoji id="lock" alt="🔒"></emoji>'
        shapes = (
            "<p><b>🔒 {}</b></p>",
            "<ul><li>// {}</li></ul>",
            "<blockquote>🔒 {}</blockquote>",
            f"<p>{lock}{{}}</p>",
        )
        self.posts_html(self.agent(step), shapes[step.which % len(shapes)].format(self.note()), note=True)

    def quoting_reply(self, step: Step) -> None:
        """A reply that quotes a note: the reply goes out, the quote does not."""
        mark = f"/reply {self.reply()}" if self.mode == "explicit" else self.reply()
        self.posts_html(self.agent(step), f"{QUOTE.format(self.note())}<p>{mark}</p>", note=False)

    def posts_html(self, agent: Actor, html: str, *, note: bool) -> None:
        written = agent.writes("formatted", thread=self.card, deliver=False)
        written.attachments = [{"contentType": "text/html", "content": html}]
        self.teams.fake.deliver(agent._as_brought(written))
        (self.written_notes if note else self.written_replies).append((agent, written))

    def note_button(self, step: Step) -> None:
        if self.has(step, "note"):
            self.fills_in(step, "note", self.note())

    def reply_button(self, step: Step) -> None:
        if self.has(step, "reply"):
            self.fills_in(step, "reply", self.reply())

    def reply_button_prefixed(self, step: Step) -> None:
        if self.has(step, "reply"):
            self.fills_in(step, "reply", f"{step.prefix}{self.note()}")

    def fills_in(self, step: Step, name: str, text: str, field_name: str = "text") -> None:
        dialog = self.agent(step).opens(self.card, name)
        if isinstance(dialog, Dialog) and dialog.fields:
            self.agent(step).submits(dialog, {field_name: text})

    def edit_note(self, step: Step) -> None:
        """A note stays one, whatever an edit makes of it: a plain text, an order to send it, another note."""
        for agent, message in self.one_of(self.written_notes, step):
            agent.edits(message, f"{('', '/reply ', '// ')[step.which % 3]}{self.note()}")

    def edit_reply(self, step: Step) -> None:
        for agent, message in self.one_of(self.written_replies, step):
            agent.edits(message, f"/reply {self.reply()}")

    def edit_reply_to_note(self, step: Step) -> None:
        for agent, message in self.one_of(self.written_replies, step):
            agent.edits(message, f"{step.prefix}{self.note()}")

    def delete_note(self, step: Step) -> None:
        for agent, message in self.one_of(self.written_notes, step):
            agent.deletes(message)

    def restore_note(self, step: Step) -> None:
        for agent, message in self.written_notes:
            if message.deleted:
                agent.restores(message)

    def delete_reply(self, step: Step) -> None:
        for agent, message in self.one_of(self.written_replies, step):
            agent.deletes(message)

    def one_of(self, written: list[tuple[Actor, Message]], step: Step) -> Iterator[tuple[Actor, Message]]:
        there = [one for one in written if not one[1].deleted]
        yield from there[step.which % len(there) :][:1] if there else ()

    def late_note(self, step: Step) -> None:
        """A note that comes only after its edit, into something that looks like a reply."""
        agent, mark = self.agent(step), self.note()
        message = agent.writes(f"{step.prefix}{mark}", thread=self.card, images=self.images(mark, step), deliver=False)
        late = agent._as_brought(message)
        agent.edits(message, self.note())
        self.teams.fake.deliver(late)
        self.written_notes.append((agent, message))

    def late_edit_first(self, step: Step) -> None:
        """The edit of a reply into a note comes first. (What was a reply then was meant to be sent.)"""
        agent = self.agent(step)
        message = agent.writes(f"/reply {self.reply()}", thread=self.card, deliver=False)
        late = agent._as_brought(message)
        agent.edits(message, f"{step.prefix}{self.note()}")
        if step.which % 2:
            self.teams.settle()
        self.teams.fake.deliver(late)

    def third_level(self, step: Step) -> None:
        """Whatever the third level writes in its thread is a note."""
        self.escalate(step)
        self.teams.settle()
        for card in [one for one in self.teams.fake.roots(self.teams.third) if self.number in self.teams.words(one)][
            :1
        ]:
            mark = self.note()
            text = f"{('', '/reply ', '// ')[step.which % 3]}{mark}"
            message = self.teams.henrik.writes(text, thread=card, images=self.images(mark, step))
            self.written_notes.append((self.teams.henrik, message))

    @property
    def number(self) -> str:
        return self.teams.words(self.card).split(" ")[0]

    def claim(self, step: Step) -> None:
        self.presses_if_there(step, "claim")

    def escalate(self, step: Step) -> None:
        self.presses_if_there(step, "escalate")

    def hand_back(self, step: Step) -> None:
        self.presses_if_there(step, "hand_back")

    def reopen(self, step: Step) -> None:
        self.presses_if_there(step, "reopen")

    def presses_if_there(self, step: Step, action: str) -> None:
        if self.has(step, action):
            self.agent(step).presses(self.card, action, old_client=step.file)

    def has(self, step: Step, action: str) -> bool:
        """Whether the card has this button now, as the agent sees it."""
        shown = self.card.card_for(self.agent(step)) or {}
        return action in [button.action for button in buttons_of(shown)]

    def resolve(self, step: Step) -> None:
        """The cause is for agents only."""
        if self.has(step, "resolve"):
            dialog = self.agent(step).opens(self.card, "resolve")
            if isinstance(dialog, Dialog) and dialog.fields:
                self.agent(step).submits(dialog, {"fix": self.reply(), "cause": self.note()})

    def search(self, step: Step) -> None:
        """What an agent looks for in the thread, and what they make of it later."""
        agent = self.agent(step)
        message = agent.writes(f"{self.teams.fake.at()} {self.note()}", thread=self.card)
        if step.which % 2:
            agent.edits(message, self.note())

    # --- what the employee and others do ------------------------------------------------------------------------------
    def employee_says(self, text: str) -> None:
        mention = self.where == "group"
        if self.where == "chat":
            self.employee.writes(text)
        else:
            self.employee.writes(text, thread=self.root, mention=mention)

    def employee_writes(self, step: Step) -> None:
        self.employee_says("Gibt es etwas Neues?")

    def employee_asks_state(self, step: Step) -> None:
        self.employee_says("status?")

    def employee_presses(self, step: Step) -> None:
        """Whatever they can press; the answer is looked at, too."""
        self.teams.settle()
        for post in [one for one in self.seen() if one.buttons][-1:]:
            delivery = self.employee.presses(post, post.buttons[step.which % len(post.buttons)].title)
            assert not [mark for mark in self.notes if mark in delivery.body]

    def ticket_form_note(self, step: Step) -> None:
        """A colleague opens a ticket on the employee's message and notes something for the agents."""
        dialog = self.teams.owen.opens_ticket_on(self.root)
        if isinstance(dialog, Dialog) and "note" in dialog.fields:
            self.teams.owen.submits(dialog, {"note": self.note()})

    def restart(self, step: Step) -> None:
        if step.which == 0:
            self.teams.calm()
            self.teams.restart()

    # --- what must hold -----------------------------------------------------------------------------------------------
    def seen(self) -> list[Message]:
        """What Lotse said where the employee reads."""
        return self.teams.fake.said(self.root.channel, self.root if self.where == "help" else None)

    def check(self, calls: list[Call]) -> None:
        said = [json.dumps(call.body, ensure_ascii=False) for call in calls if self.is_for_employee(call)]
        said += [json.dumps([one.attachments for one in self.seen()], ensure_ascii=False), *self.employee.told]
        assert [mark for mark in self.notes if any(mark in one for one in said)] == []

    def is_for_employee(self, call: Call) -> bool:
        """Whether a call is addressed to where the employee reads: their chat, their group, their thread; or elsewhere
        than to the teams that work on tickets."""
        rooms = (self.teams.desk.id, self.teams.network.id, self.teams.third.id)
        return call.method != "GET" and not any(room in call.path for room in rooms)

    def arrived(self, calls: list[Call]) -> int:
        """How many of the replies the employee reads or has read."""
        said = json.dumps([call.body for call in calls if self.is_for_employee(call)], ensure_ascii=False)
        return sum(mark in said for mark in self.replies)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("mode", "where"), [("conversation", "chat"), ("explicit", "help"), ("conversation", "group")])
def test_no_note_is_in_any_call_addressed_to_the_employee(
    make_teams_world: MakeWorld, mode: Mode, where: Where
) -> None:
    teams = make_teams_world(handoff={"reply": mode})
    totals = {"notes": 0, "replies": 0, "arrived": 0}

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],  # to shrink what it has found would take longer than the test may
        database=None,
    )
    @given(st.lists(STEP, min_size=4, max_size=STEPS))
    def holds(steps: list[Step]) -> None:
        before = len(teams.fake.calls)
        traffic = a_ticket(teams, mode, where)
        for step in steps:
            traffic.do(step)
        teams.settle()
        calls = teams.fake.calls[before:]
        traffic.check(calls)
        totals["notes"] += len(traffic.notes)
        totals["replies"] += len(traffic.replies)
        totals["arrived"] += traffic.arrived(calls)

    holds()
    assert totals["notes"] > 2 * EXAMPLES
    assert totals["arrived"] > totals["replies"] * 0.8, totals  # replies do arrive: it is not silence that keeps notes


def a_ticket(teams: TeamsWorld, mode: Mode, where: Where) -> Traffic:
    employee = teams.fake.user(f"Person {next(NAMES)}")
    teams.company.members.append(employee.id)
    to = {"chat": None, "help": teams.help, "group": teams.fake.group(employee, teams.owen)}[where]
    root = employee.writes("Ich möchte mit einem Menschen sprechen.", to, mention=where == "group")
    teams.settle()
    return Traffic(teams, mode, where, employee, root, teams.card())


# --- by hand ----------------------------------------------------------------------------------------------------------
SECRET = "Er hat das Kennwort geteilt."


def said_to(teams: TeamsWorld, person: Actor) -> str:
    """Everything that ever went to somebody's chat, also what was changed since."""
    calls = [call.body for call in teams.fake.calls if person.chat in call.path]
    return json.dumps(calls, ensure_ascii=False) + "".join(person.told)


WAYS = (
    *("<at>Tomasz Wilk</at> // {}", "<at>Tomasz Wilk</at>\n🔒 {}", "<at>Tomasz Wilk</at> <at>Maren Tiede</at> //{}"),
    *("/note {}", "<at>Tomasz Wilk</at> /note {}", "/reply // {}", "🔐 {}", "🔏 {}"),
)


@pytest.mark.parametrize("way", WAYS)
def test_natural_ways_to_write_a_note_make_one(teams: TeamsWorld, way: str) -> None:
    card = teams.wants_person()
    teams.maren.writes(way.format(SECRET), thread=card)
    teams.settle()
    assert SECRET not in said_to(teams, teams.konrad)
    with teams.app.house.sessions() as session:
        (note,) = session.scalars(select(Record.text).where(Record.kind == Kind.NOTE))
    assert note.endswith(SECRET)
    assert note.startswith("@Tomasz Wilk") == ("<at>" in way)


@pytest.mark.parametrize("name", ["Team: Netzwerk, Ebene 2 Nord und Süd", "anna maria von der au it support nord west"])
def test_teams_says_where_a_mention_ends_whatever_somebody_is_called(teams: TeamsWorld, name: str) -> None:
    other, card = teams.fake.user(name), teams.wants_person()
    teams.maren.writes(f"{other.at} // {SECRET}", thread=card)
    reply = teams.maren.writes("Ich sehe mir das an.", thread=card)
    teams.settle()
    teams.maren.edits(reply, f"{other.at} // {SECRET}")
    teams.settle()
    assert SECRET not in said_to(teams, teams.konrad)
    assert told(teams.answers(teams.konrad))[-1] == ("Maren Tiede", "Ich sehe mir das an.")


@pytest.mark.parametrize("text", ["@Konrad: bitte // nicht / eingeben", "<at>Tomasz Wilk</at> siehe http://x//y"])
def test_what_has_a_mark_only_inside_is_a_reply(teams: TeamsWorld, text: str) -> None:
    card = teams.wants_person()
    teams.maren.writes(text, thread=card)
    teams.settle()
    assert told(teams.answers(teams.konrad))[-1][1] == text.replace("<at>", "@").replace("</at>", "")


def test_a_reply_that_becomes_a_note_is_not_changed_into_it(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    reply = teams.maren.writes("Ich sehe mir das an.", thread=card)
    teams.settle()
    teams.maren.edits(reply, f"🔒 {SECRET}")
    teams.settle()
    assert SECRET not in said_to(teams, teams.konrad)
    assert told(teams.answers(teams.konrad))[-1] == ("Maren Tiede", "Ich sehe mir das an.")


def test_a_note_that_becomes_a_reply_stays_a_note(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    note = teams.maren.writes(f"// {SECRET}", thread=card)
    teams.settle()
    for text in (SECRET, f"/reply {SECRET}", f"🔒 {SECRET}"):
        teams.clock.move(seconds=10)
        teams.maren.edits(note, text)
        teams.settle()
    teams.maren.deletes(note)
    teams.settle()
    teams.maren.restores(note)
    teams.settle()
    assert SECRET not in said_to(teams, teams.konrad)
    assert len(teams.answers(teams.konrad)) == 1


def test_a_note_restored_without_ever_having_come_stays_a_note(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    note = teams.maren.writes(f"// {SECRET}", thread=card, deliver=False)
    note.text = SECRET  # what it says when it is restored
    restored = deepcopy(changed_activity(teams.fake.state, note, "undeleteMessage"))
    assert teams.fake.deliver(restored).ok
    teams.settle()
    assert SECRET not in said_to(teams, teams.konrad)


def test_what_a_colleague_notes_with_a_ticket_for_somebody_is_not_told_to_them(teams: TeamsWorld) -> None:
    for where in (teams.general, teams.fake.group(teams.konrad, teams.owen)):
        said = teams.konrad.writes("Mein VPN geht nicht.", where)
        dialog = teams.owen.opens_ticket_on(said)
        assert isinstance(dialog, Dialog)
        teams.owen.submits(dialog, {"note": SECRET})
        teams.settle()
        assert SECRET not in json.dumps([call.body for call in teams.fake.calls if where.id in call.path])
        assert any(SECRET in teams.words(post) for post in teams.thread(teams.card()))
    assert SECRET not in said_to(teams, teams.konrad)


def test_the_cause_of_a_resolved_ticket_is_for_agents_only(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    teams.fills_in(teams.maren, card, "resolve", fix="Kennwort geändert.", cause=SECRET)
    for text in ("status?", "Das ist immer noch kaputt"):
        teams.asks(teams.konrad, text)
    assert SECRET not in said_to(teams, teams.konrad)


def test_a_permalink_or_a_forged_key_opens_no_note(teams: TeamsWorld) -> None:
    card = teams.wants_person()
    teams.fills_in(teams.maren, card, "note", text=SECRET)
    teams.asks(teams.konrad, "Danke")
    receipt: Any = teams.answers(teams.konrad)[0]
    for key in range(1, 40):
        odd = deepcopy(receipt)
        data = {"lotse": {"action": "helped", "key": str(key), "value": ""}}
        button = {"type": "Action.Execute", "title": "x", "verb": "helped", "data": data}
        odd.attachments[0]["content"]["actions"] = [button | {"fallback": {"type": "Action.Submit", "data": data}}]
        delivery = teams.konrad.presses(odd, "helped")
        assert SECRET not in delivery.body
    teams.settle()
    assert SECRET not in said_to(teams, teams.konrad)
