"""Very long and very odd texts in Teams: every activity is small enough, and every word is there, in order."""

import re
from collections.abc import Iterator, Sequence

import pytest
from fake_teams import Actor, Dialog, Message, Upload
from fake_teams_cards import walk
from long_texts import MARK, ODD, Words, article, contains, long_text
from sqlalchemy import select
from teams_cards import facts, heard, links
from teams_world import PUBLIC_URL, MakeTeamsWorld, TeamsWorld, actions
from world import PRINTER_QUESTION, PRINTERS, VPN_QUESTION

from handoff.models import Conversation, Kind
from handoff.outbox import post

MOST_BYTES = 28 * 1024
NAMES = "Konrad Voßmann|Owen Tallis|Maren Tiede|Tomasz Wilk"
HEAD = re.compile(rf"\A(?:🔒 )?(?:{NAMES})?(?: ?\(\d+/\d+\))?\n")
PART = re.compile(r"\((\d+)/(\d+)\)$")


@pytest.fixture
def world(make_teams_world: MakeTeamsWorld) -> Iterator[TeamsWorld]:
    """A Lotse in Teams; nothing it sends is too large."""
    made = make_teams_world()
    yield made
    sent = [call for call in made.fake.calls if "/activities" in call.path]
    assert sent
    assert max(call.bytes for call in sent) <= MOST_BYTES
    assert {call.error for call in sent} <= {""}


# --- what people see --------------------------------------------------------------------------------------------------
def here(posts: Sequence[Message]) -> list[Message]:
    return [one for one in posts if not one.deleted]


def visible(world: TeamsWorld, message: Message) -> str:
    """The words of a post without who speaks, and which part of how many it is."""
    return HEAD.sub("", f"{world.words(message)}\n", count=1).replace("\u00a0", " ")


def marks(world: TeamsWorld, posts: Sequence[Message]) -> list[str]:
    """The words people see in these posts, in order."""
    return MARK.findall("\n".join(visible(world, one) for one in posts))


def characters(text: str) -> str:
    """All that is seen of a text, without room; fences are looks."""
    return re.sub(r"[\s`]", "", text)


def are_numbered(world: TeamsWorld, posts: Sequence[Message], name: str = "") -> bool:
    """Whether all posts after the first say which of how many they are, and who speaks."""
    heads = [world.words(one).split("\n")[0] for one in posts[1:]]
    return heads == [f"{name} ({number}/{len(posts)})".strip() for number in range(2, len(posts) + 1)]


def kinds(posts: Sequence[Message]) -> set[str]:
    return {str(one.get("type")) for message in posts for one in walk(message.card)}


def says(world: TeamsWorld, text: str) -> None:
    """Lotse says this in its newest case."""
    with world.app.house.sessions.begin() as session:
        case = session.scalars(select(Conversation).order_by(Conversation.id.desc()).limit(1)).one()
        post(session, case, case.place, Kind.SAY, text, world.clock())
    world.settle()


# --- what Lotse says --------------------------------------------------------------------------------------------------
def test_an_article_of_40_000_characters_is_answered_with_a_passage_and_the_way_to_all_of_it(world: TeamsWorld) -> None:
    body = f"{VPN_QUESTION} Zweigstelle. {article(40_000)}"
    number = world.publish("VPN in der Zweigstelle", body)
    world.asks(world.konrad, f"{VPN_QUESTION} Zweigstelle")
    (answer,) = world.answers(world.konrad)
    seen = marks(world, [answer])
    assert seen == MARK.findall(body)[: len(seen)]
    assert list(links(answer).values()) == [f"{PUBLIC_URL}/kb/articles/{number}"]
    assert actions(answer) == ["helped", "not_helped", "person"]


def test_40_000_characters_from_lotse_arrive_word_for_word(world: TeamsWorld) -> None:
    text = article(40_000)
    assert len(text) >= 40_000
    world.asks(world.konrad, VPN_QUESTION)
    says(world, text)
    posts = world.answers(world.konrad)[1:]
    assert len(posts) > 3
    assert marks(world, posts) == MARK.findall(text)
    assert {"Table", "Container", "RichTextBlock"} <= kinds(posts)
    assert are_numbered(world, posts)


@pytest.mark.parametrize(
    "text",
    [
        f"```\n{'x' * 30_000}\n```",
        "y" * 70_000,
        "\n".join(f"{'  ' * (n % 12)}- tief {n}" for n in range(800)),
        "\n\n".join("# Überschrift" for _ in range(900)),
        "> " * 50 + "ä" * 30_000,
        "🙂" * 15_000,
        "👩🏽‍💻" * 3000,
        "🇩🇪" * 6000,
        "e\u0301" * 15_000,
        "עברית \u202eumgedreht\u202c " * 3000,
        "&<>" * 10_000,
        '"\\' * 20_000,
        "\n" * 5000 + "Ende",
        "\u200b",
        "```",
        "| a |\n|---|",
        "**" * 3000,
        "`" * 3001,
        "[" * 2000 + "](" * 2000,
        "<b>fett</b> <script>alert(1)</script> {{DATE(2026-01-01)}} ${x} " * 800,
    ],
    ids=range(20),
)
def test_odd_texts_are_taken_and_whole(world: TeamsWorld, text: str) -> None:
    world.asks(world.konrad, VPN_QUESTION)
    says(world, text)
    posts = world.answers(world.konrad)[1:]
    letters = re.compile(r"[\wäöü🙂👩🏽💻🇩🇪\u0301\u202e\u202c&<>\"$]")
    plain = re.sub(r"^[ ]*(?:[-#>] ?)+|\|?-{3}\|?", "", text, flags=re.MULTILINE)
    if text.strip("*`|-[](\n a"):
        assert letters.findall("".join(visible(world, one) for one in posts)) == letters.findall(plain)
    assert are_numbered(world, posts)


@pytest.mark.parametrize("rows", [0, 1, 60, 400])
@pytest.mark.parametrize(("columns", "length"), [(2, 3), (3, 300), (3, 9000), (12, 20), (40, 5)])
def test_tables_are_taken_and_whole(world: TeamsWorld, rows: int, columns: int, length: int) -> None:
    """Each cell is there, row after row; the titles stand above them in every part."""
    rows = min(rows, 20_000 // (columns * (length + 7)))
    cells = [[f"{row:03}.{column:02}{'ä' * length}" for column in range(columns)] for row in range(rows + 1)]
    lines = ["|".join(("", *row, "")) for row in cells]
    lines.insert(1, "|---" * columns + "|")
    world.asks(world.konrad, VPN_QUESTION)
    says(world, "\n".join(lines))
    posts = world.answers(world.konrad)[1:]
    seen = re.findall(r"(\d{3}\.\d{2})(ä*)", "".join(visible(world, one).replace("\n", "") for one in posts))
    assert {letters for _, letters in seen} == {"ä" * length}
    titles, *others = ([cell[:6] for cell in row] for row in cells)
    assert [cell for cell, _ in seen if cell not in titles] == [cell for row in others for cell in row]
    for one in posts:
        assert set(titles) <= set(re.findall(r"000\.\d{2}", visible(world, one))) or length > 300


# --- what people write ------------------------------------------------------------------------------------------------
def test_an_agents_reply_of_20_000_characters_arrives_word_for_word(world: TeamsWorld) -> None:
    card, text = world.wants_person(), long_text(20_000)
    world.maren.writes(text, thread=card)
    world.maren.writes("Und noch eins.", thread=card)
    world.settle()
    *posts, then = world.answers(world.konrad)[1:]
    assert len(posts) > 1
    assert characters("".join(visible(world, one) for one in posts)) == characters(text)
    assert are_numbered(world, posts, "Maren Tiede")
    assert world.words(then) == "Maren Tiede\nUnd noch eins."


def test_an_agents_long_reply_stays_in_the_requesters_thread_of_a_channel(world: TeamsWorld) -> None:
    text = long_text(20_000)
    asked = world.konrad.writes("Ich möchte mit einem Menschen sprechen.", world.general, mention=True)
    world.settle()
    world.maren.writes(text, thread=world.card())
    world.settle()
    posts = world.fake.said(world.general, asked)[1:]
    assert len(posts) > 1
    assert marks(world, posts) == MARK.findall(text)
    assert world.fake.roots(world.general) == []


def test_of_a_long_reply_in_a_group_chat_only_the_first_part_calls_its_requester(world: TeamsWorld) -> None:
    text, chat = long_text(20_000), world.fake.group(world.konrad, world.owen)
    world.konrad.writes("Ich möchte mit einem Menschen sprechen.", chat, mention=True)
    world.settle()
    world.maren.writes(text, thread=world.card())
    world.settle()
    posts = world.fake.said(chat)[1:]
    called = [[entity["mentioned"]["name"] for entity in one.card["msteams"].get("entities", ())] for one in posts]
    assert called == [["Konrad Voßmann"], *[[]] * (len(posts) - 1)]
    assert len(posts) > 1
    assert marks(world, posts) == MARK.findall(text)


def test_a_requesters_20_000_characters_reach_the_agents_word_for_word(world: TeamsWorld) -> None:
    card, text = world.wants_person(), long_text(20_000)
    before = len(world.thread(card))
    world.asks(world.konrad, text)
    posts = world.thread(card)[before:]
    assert len(posts) > 1
    assert characters("".join(visible(world, one) for one in posts)) == characters(text)
    assert are_numbered(world, posts, "Konrad Voßmann")


def test_a_first_message_of_20_000_characters_is_in_the_transcript_whole(world: TeamsWorld) -> None:
    text = long_text(20_000)
    world.asks(world.konrad, text)
    card = world.wants_person()
    assert contains(marks(world, world.thread(card)), MARK.findall(text))


@pytest.mark.parametrize("lengths", [(20_000, 100), (100, 40_000), (40_000, 20_000), (20_000, 40_000)])
def test_an_edited_reply_of_another_length_is_all_that_is_left(world: TeamsWorld, lengths: tuple[int, int]) -> None:
    card, (first, second) = world.wants_person(), map(long_text, lengths)
    written = world.maren.writes(first, thread=card)
    world.settle()
    world.maren.edits(written, second)
    world.settle()
    posts = here(world.answers(world.konrad)[1:])
    assert characters("".join(visible(world, one) for one in posts)) == characters(second)
    assert are_numbered(world, posts, "Maren Tiede")
    world.maren.edits(written, "Kurz.")
    world.settle()
    assert [world.words(one) for one in here(world.answers(world.konrad)[1:])] == ["Maren Tiede\nKurz."]
    world.maren.deletes(written)
    world.settle()
    assert len(here(world.answers(world.konrad)[1:])) == 1
    assert "Kurz." not in world.words(world.answers(world.konrad)[1])


def test_a_requesters_edit_changes_all_parts_in_the_agents_thread(world: TeamsWorld) -> None:
    card = world.wants_person()
    before = len(world.thread(card))
    for first, second in ((20_000, 10), (10, 20_000)):
        text = long_text(second)
        written = world.asks(world.konrad, long_text(first))
        world.konrad.edits(written, text)
        world.settle()
        posts = here(world.thread(card))[before:]
        assert characters("".join(visible(world, one) for one in posts)) == characters(text)
        before += len(posts)


def test_notes_and_dialogs_as_long_as_they_may_be_arrive_whole(world: TeamsWorld) -> None:
    card, some = world.wants_person(), Words()
    reply, note, fix = some(360), some(360), some(360)
    for name, field, value in (("note", "text", note), ("reply", "text", reply), ("resolve", "fix", fix)):
        assert world.fills_in(world.maren, card, name, **{field: value}) is None
    assert marks(world, world.answers(world.konrad)[1:]) == MARK.findall(f"{reply} {fix}")
    assert marks(world, world.thread(card))[:720] == MARK.findall(f"{note} {reply}")


@pytest.mark.parametrize("length", [3000, 30_000])
def test_a_long_note_is_one_in_all_its_parts(world: TeamsWorld, length: int) -> None:
    card, text = world.wants_person(), long_text(length)
    world.presses(world.maren, card, "escalate")
    third = world.card(world.third)
    before, told = len(world.thread(card)), len(world.answers(world.konrad))
    world.henrik.writes(text, thread=third)
    world.settle()
    posts = world.thread(card)[before:]
    assert characters("".join(re.sub(r"\A🔒 Henrik Lindqvist.*", "", world.words(one)) for one in posts)) == characters(
        text
    )
    assert [world.words(one).startswith("🔒 Henrik Lindqvist") for one in posts] == [True] * len(posts)
    assert {one.card["body"][-1]["style"] for one in posts if one.card} == {"warning"}
    assert len(world.answers(world.konrad)) == told


# --- transcripts ------------------------------------------------------------------------------------------------------
def test_a_thread_of_300_messages_becomes_the_transcript(world: TeamsWorld) -> None:
    some = Words()
    people: list[Actor] = [world.konrad, world.owen, world.tomasz]
    root = world.konrad.writes(f"Mein Bildschirm flackert. {some(3)}", world.general)
    for number in range(299):
        world.clock.move(seconds=1)
        people[number % 3].writes(f"{some(3)} {ODD if number % 50 == 0 else ''}", thread=root)
    world.clock.move(seconds=1)
    assert world.tickets() == 0
    dialog = world.konrad.opens_ticket_on(root)
    assert isinstance(dialog, Dialog)
    world.konrad.submits(dialog, {})
    world.settle()
    posts = transcript(world, world.card())
    assert len(posts) > 1
    assert contains(marks(world, posts), MARK.findall(Words()(900)))
    told = "\n".join(visible(world, one) for one in posts)
    assert {name for name in re.findall(r"^\d\d:\d\d  (.+)$", told, re.MULTILINE) if name != "Lotse"} == {
        "Konrad Voßmann",
        "Owen Tallis",
        "Tomasz Wilk",
    }


def transcript(world: TeamsWorld, card: Message) -> list[Message]:
    """The parts of the transcript below a card; they are numbered and follow each other."""
    first, *others = world.thread(card)
    assert world.words(first).startswith("Was in TKT-")
    numbered = [one for one in others if PART.match(world.words(one).split("\n")[0])]
    assert numbered == others[: len(numbered)]
    assert are_numbered(world, [first, *numbered])
    return [first, *numbered]


def test_a_long_talk_is_told_to_those_who_come_later(world: TeamsWorld) -> None:
    some = Words()
    card = world.wants_person()
    for number in range(40):
        world.konrad.writes(some(10))
        world.maren.writes(f"{some(10)} {ODD if number % 20 == 0 else ''}", thread=card)
        if number % 10 == 9:
            world.settle()
    world.presses(world.maren, card, "escalate")
    posts = transcript(world, world.card(world.third))
    assert len(posts) > 1
    assert contains(marks(world, posts), MARK.findall(Words()(800)))


# --- lists, cards and buttons -----------------------------------------------------------------------------------------
def test_own_tickets_with_long_summaries_are_all_shown(world: TeamsWorld) -> None:
    for number in range(18):
        asked = world.konrad.writes(f"Fall {number}: {Words()(60)}", world.general)
        dialog = world.konrad.opens_ticket_on(asked)
        assert isinstance(dialog, Dialog)
        world.konrad.submits(dialog, {})
        world.settle()
    assert world.tickets() == 18
    world.asks(world.konrad, "status?")
    shown = "\n".join(heard(world, world.konrad))
    assert [number for number in range(1001, 1019) if f"TKT-{number}" not in shown] == []


def test_a_name_and_a_summary_with_markup_are_shown_as_they_are_on_the_card(world: TeamsWorld) -> None:
    name = f"**Konrad** [hier](https://evil.example) <at>Alle</at> _x_ {'ä' * 200}"
    odd = world.fake.user(name)
    world.company.members.append(odd.id)
    world.asks(odd, f"| a | b | {ODD} <at>Alle</at> {Words()(600)}")
    card = world.wants_person(odd)
    assert facts(card)["Von"] == name
    assert f"| a | b | {ODD[:17]}" in world.words(card)
    assert "evil" not in str(links(card))
    assert not [one for one in walk(card.card) if one.get("type") == "TextBlock"]
    world.fills_in(world.maren, card, "reply", text="Guten Tag.")
    assert heard(world, odd)[-1].endswith("Guten Tag.")


def test_long_titles_to_choose_from_stand_whole_above_their_numbers(world: TeamsWorld) -> None:
    titles = [f"{title} & <{'ä' * 20}> *x* [y](z)" for title, _ in PRINTERS]
    assert all(60 < len(title) <= 75 for title in titles)
    for title, (_, body) in zip(titles, PRINTERS, strict=True):
        world.publish(title, body)
    world.asks(world.konrad, PRINTER_QUESTION)
    asked = world.answers(world.konrad)[-1]
    buttons = [one for one in asked.buttons if one.action == "choose"]
    assert sorted(one.title for one in buttons) == ["1", "2"]
    told = world.words(asked)
    assert [title for title in titles if title not in told] == []
    world.presses(world.konrad, asked, "choose", buttons[0].value)
    chosen = re.findall(rf"^{buttons[0].title}\. (.+)$", told, re.MULTILINE)[0]
    assert chosen in "".join(links(world.answers(world.konrad)[-1]))


def test_many_files_with_long_names_are_all_linked(world: TeamsWorld) -> None:
    card = world.wants_person()
    names = [f"{'Bericht & <ä> ' * 9}{number}.txt" for number in range(10)]
    world.konrad.writes(long_text(20_000), files=[Upload(name, name.encode()) for name in names])
    world.settle()
    found = [label for one in world.thread(card) for label in links(one)]
    assert [label.removeprefix("📎 ") for label in found] == [name[-150:] for name in names]
