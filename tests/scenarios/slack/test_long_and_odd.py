"""Very long and very odd texts in Slack: every payload is valid, and every word is there, in order."""

import re
from collections.abc import Sequence

import pytest
from fake_slack import Actor, Message
from long_texts import MARK, ODD, Words, article, contains, long_text
from slack_harness import BELOW_THE_TEXT
from slack_world import MakeSlackWorld, SlackWorld, elements, words
from sqlalchemy import select
from world import VPN_QUESTION

from bot.channels.slack.text import text_of
from handoff.models import Conversation, Kind
from handoff.outbox import post


@pytest.fixture
def world(make_slack_world: MakeSlackWorld) -> SlackWorld:
    made = make_slack_world("http")
    made.fake.pace = 1.0  # long ones come in many posts
    return made


def marks(posts: Sequence[Message]) -> list[str]:
    """The words people see in these posts, in order, without what stands below them."""
    return MARK.findall("\n".join(visible(one) for one in posts))


def visible(message: Message) -> str:
    return text_of([block for block in message.blocks if block["type"] not in BELOW_THE_TEXT])


def blocks_of(posts: Sequence[Message]) -> set[str]:
    kinds = {block["type"] for one in posts for block in one.blocks}
    return kinds | {part["type"] for one in posts for block in one.blocks for part in block.get("elements", ())}


# --- what Lotse says --------------------------------------------------------------------------------------------------
def test_an_article_of_40_000_characters_is_answered_with_a_passage_and_the_way_to_all_of_it(world: SlackWorld) -> None:
    body = f"{VPN_QUESTION} Zweigstelle. {article(40_000)}"
    number = world.publish("VPN in der Zweigstelle", body)
    world.asks(world.konrad, f"{VPN_QUESTION} Zweigstelle")
    (answer,) = world.answers(world.konrad)
    seen = marks([answer])
    assert seen == MARK.findall(body)[: len(seen)]
    assert f"/kb/articles/{number}|" in str(answer.blocks)
    assert [one["text"]["text"] for one in elements(answer)][-1]


def test_40_000_characters_from_lotse_arrive_word_for_word(world: SlackWorld) -> None:
    text = article(40_000)
    assert len(text) >= 40_000
    world.asks(world.konrad, VPN_QUESTION)
    says(world, text)
    posts = world.answers(world.konrad)[1:]
    assert len(posts) > 10
    assert marks(posts) == MARK.findall(text)
    assert {"table", "rich_text", "rich_text_preformatted", "rich_text_list"} <= blocks_of(posts)
    assert all(len(one.text) <= 4000 for one in posts)
    numbers = [found for one in posts for found in re.findall(r"^\((\d+)/(\d+)\)", words(one))]
    assert numbers == [(str(n), str(len(posts))) for n in range(2, len(posts) + 1)]


@pytest.mark.parametrize(
    "text",
    [
        f"```\n{'x' * 30_000}\n```",
        "y" * 30_000,
        "\n".join(f"| {n} | {'z' * 900} |" for n in range(30)).replace("\n", "\n|---|---|\n", 1),
        "| a | b |\n|---|---|\n" + "\n".join("| ä | ö |" for _ in range(500)),
        "\n".join(f"{'  ' * (n % 12)}- tief {n}" for n in range(800)),
        "\n\n".join("# Überschrift" for _ in range(300)),
        "🙂" * 9000,
        "👩🏽‍💻" * 3000,
        "e\u0301" * 9000,
        "&<>" * 5000,
        "\n" * 5000 + "Ende",
        "\u200b",
        "```",
        "| a |\n|---|",
        "**" * 3000,
        "`" * 3001,
        "[" * 2000 + "](" * 2000,
    ],
    ids=range(17),
)
def test_odd_texts_are_valid_payloads_and_whole(world: SlackWorld, text: str) -> None:
    world.asks(world.konrad, VPN_QUESTION)
    says(world, text)
    seen = "".join(visible(one) for one in world.answers(world.konrad)[1:])
    letters = re.compile(r"[\wäöü🙂👩🏽💻\u0301&<>]")
    if text.strip("*`|-[](\n a"):
        plain = re.sub(r"^[ ]*[-#] ?|\|?-{3}\|?", "", text, flags=re.MULTILINE)
        assert letters.findall(seen) == letters.findall(plain)


def says(world: SlackWorld, text: str) -> None:
    """Lotse says this in its newest case."""
    with world.app.house.sessions.begin() as session:
        case = session.scalars(select(Conversation).order_by(Conversation.id.desc()).limit(1)).one()
        post(session, case, case.place, Kind.SAY, text, world.clock())
    world.settle()


# --- what people write ------------------------------------------------------------------------------------------------
def test_an_agents_reply_of_20_000_characters_arrives_word_for_word(world: SlackWorld) -> None:
    card, text = world.wants_person(), long_text(20_000)
    world.maren.posts(world.desk, text, card)
    world.maren.posts(world.desk, "Und noch eins.", card)
    world.settle()
    posts = world.answers(world.konrad)[1:]
    assert marks(posts[:-1]) == MARK.findall(text)
    assert words(posts[-1]) == "Und noch eins."
    assert {one.username for one in posts} == {"Maren Tiede"}
    assert {one.thread_ts for one in posts} == {world.answers(world.konrad)[0].thread_ts}


def test_a_requesters_20_000_characters_reach_the_agents_word_for_word(world: SlackWorld) -> None:
    card, text = world.wants_person(), long_text(20_000)
    world.konrad.dm(text, world.answers(world.konrad)[0])
    world.settle()
    posts = [one for one in world.thread(card) if one.username == "Konrad Voßmann"]
    assert marks(posts) == MARK.findall(text)


def test_a_first_message_of_20_000_characters_is_in_the_transcript_whole(world: SlackWorld) -> None:
    text = long_text(20_000)
    asked = world.asks(world.konrad, text)
    world.konrad.dm("Ich möchte mit einem Menschen sprechen.", asked)
    world.settle()
    assert contains(MARK.findall(transcript(world, world.card())), MARK.findall(text))


def test_notes_and_forms_as_long_as_slack_takes_them_arrive_whole(world: SlackWorld) -> None:
    card, some = world.wants_person(), Words()
    reply, note, fix = some(240), some(240), some(240)
    for name, values in (("note", {"text": note}), ("reply", {"text": reply}), ("resolve", {"fix": fix})):
        world.maren.presses(card, f"lotse:{name}:")
        world.maren.submits(world.form(world.maren), values)
        world.settle()
    assert marks(world.answers(world.konrad)[1:]) == MARK.findall(f"{reply} {fix}")
    assert marks(world.thread(card))[:480] == MARK.findall(f"{note} {reply}")


def transcript(world: SlackWorld, card: Message) -> str:
    """The file in the thread of a card."""
    (name,) = [one for post in world.thread(card) for one in post.files]
    content = world.fake.files[name].content
    assert content is not None
    return content.decode()


def test_a_thread_of_300_messages_becomes_the_transcript(world: SlackWorld) -> None:
    some = Words()
    people: list[Actor] = [world.konrad, world.owen, world.tomasz]
    root = world.konrad.posts(world.general, f"Mein Bildschirm flackert. {some(3)}")
    for number in range(299):
        people[number % 3].posts(world.general, f"{some(3)} {ODD if number % 50 == 0 else ''}", root)
    world.owen.message_shortcut("open_ticket", root)
    world.owen.submits(world.form(world.owen), {})
    world.settle()
    text = transcript(world, world.card())
    assert contains(MARK.findall(text), MARK.findall(Words()(900)))
    assert {line.partition(" · ")[0].partition("] ")[2] for line in text.splitlines() if " · text: " in line} == {
        "Konrad Voßmann",
        "Owen Tallis",
        "Tomasz Wilk",
    }


# --- lists ------------------------------------------------------------------------------------------------------------
def test_more_tickets_than_a_list_shows_are_counted(world: SlackWorld) -> None:
    some = Words()
    for number in range(20):
        asked = world.konrad.posts(world.general, f"Fall {number}: {some(60)}")
        world.konrad.message_shortcut("open_ticket", asked)
        world.konrad.submits(world.form(world.konrad), {})
    world.settle()
    assert world.tickets() == 20
    assert world.maren.command("/helpdesk", "desk unassigned").ok
    world.calm()
    (told,) = [words(one) for one in world.fake.ephemerals(world.maren)]
    assert told.count("TKT-") + int(re.findall(r"(\d+) weitere", told)[0]) == 20


def test_own_tickets_with_long_summaries_are_all_shown(world: SlackWorld) -> None:
    for number in range(18):
        asked = world.konrad.posts(world.general, f"Fall {number}: {Words()(60)}")
        world.konrad.message_shortcut("open_ticket", asked)
        world.konrad.submits(world.form(world.konrad), {})
    world.settle()
    assert world.tickets() == 18
    world.konrad.command("/helpdesk", "my tickets")
    world.calm()
    shown = "\n".join(words(one) for one in world.fake.ephemerals(world.konrad))
    missing = [number for number in range(1001, 1019) if f"TKT-{number}" not in shown]
    assert missing == []
    world.konrad.opens_home()
    world.calm()
    assert world.konrad.home is not None
    assert all(f"TKT-{number}" in str(world.konrad.home.view) for number in range(1001, 1019))
