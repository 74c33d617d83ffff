"""The catalogue of sentences: complete, consistent, and every one of them used."""

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from string import Formatter
from zoneinfo import ZoneInfo

import pytest

from bot import replies
from bot.channels.port import Button, Link, Reply
from bot.replies import FACTS, Moment
from bot.texts import CHAT_PLATFORMS, Texts, load_catalogue
from bot.wording import asks_for_person
from handoff.models import OPEN_STATES, Reason, Side, TicketState, TicketType
from kb_index.port import Confidence, Hit

CATALOGUE = load_catalogue("replies")
NAMES = ("replies", *CHAT_PLATFORMS)
SENTENCES = {f"{name}: {key}": entry for name in NAMES for key, entry in load_catalogue(name).items()}
SOURCES = Path(replies.__file__).parent
DU = re.compile(r"\b(du|dir|dich|dein\w*)\b", re.IGNORECASE)
SIE = re.compile(r"\b(Ihnen|Ihr|Ihre[mnrs]?)\b|(?<![.!?:“„\n] )(?<!^)\bSie\b")
IMPERATIVE_SIE = re.compile(r"\b\w+en Sie\b")
# Built from a state, a reason or the like: `f"state_{ticket.state}"`.
FAMILIES = {
    "state_": set(TicketState),
    "type_": set(TicketType),
    "reason_": set(Reason),
    "button_": {"claim", "reply", "note", "escalate", "hand_back", "resolve", "reopen"},
    "pressed_": {"assign", "correct", "state", "outage", "open_ticket"},
    "fact_": {*FACTS, "articles"},
    "link_": {Side.HANDOFF, Side.THIRD_LEVEL},
    "ask_": {"problem", "system", "since"},
    "file_": {"too_large", "not_loaded", "not_allowed", "in_channel"},
    "refused_": {"too_large", "not_loaded", "not_allowed", "in_channel"},
    "card_rule_": {"conversation", "explicit", "third_level"},
}


@pytest.mark.parametrize("key", SENTENCES)
def test_each_sentence_has_english_and_either_neutral_german_or_both_forms_of_address(key: str) -> None:
    assert set(SENTENCES[key]) in ({"en", "de"}, {"en", "sie", "du"})
    assert all(sentence.strip() == sentence and sentence for sentence in SENTENCES[key].values())


@pytest.mark.parametrize("key", SENTENCES)
def test_all_variants_of_a_sentence_have_the_same_placeholders(key: str) -> None:
    found = {variant: placeholders(sentence) for variant, sentence in SENTENCES[key].items()}
    assert len(set(map(frozenset, found.values()))) == 1, found


@pytest.mark.parametrize("key", SENTENCES)
def test_no_sentence_mixes_du_and_sie(key: str) -> None:
    variants = SENTENCES[key]
    for formal in (variants.get("sie"), variants.get("de")):
        assert formal is None or not DU.search(formal)
    for familiar in (variants.get("du"), variants.get("de")):
        assert familiar is None or not (SIE.search(familiar) or IMPERATIVE_SIE.search(familiar))


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


# --- used and known ---------------------------------------------------------------------------------------------------
def words_in_sources() -> set[str]:
    """Every string that stands in the source or the templates of bot."""
    words: set[str] = set()
    for file in SOURCES.rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        words |= {
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
    for file in SOURCES.rglob("*.html"):
        words |= set(re.findall(r"[\"']([a-z_]+)[\"']", file.read_text(encoding="utf-8")))
    handoff = SOURCES.parent / "handoff" / "desk.py"
    return words | set(re.findall(r"\"([a-z_]+)\"", handoff.read_text(encoding="utf-8")))


def test_every_sentence_is_used() -> None:
    families = {prefix + name for prefix, names in FAMILIES.items() for name in names}
    assert set(CATALOGUE) - words_in_sources() - families == set()


def test_every_family_is_complete() -> None:
    missing = {prefix + name for prefix, names in FAMILIES.items() for name in names} - set(CATALOGUE)
    assert missing == set()


def keys_said() -> Iterator[tuple[str, str]]:
    """File and key of each sentence that is named where it is said."""
    sayers = {
        "say",
        "texts",
        "tell_handoff",
        "tell_agents",
        "tell_requester",
        "NotPossible",
        "handoff_texts",
        "SmallTalk",
    }
    for file in (*SOURCES.glob("*.py"), SOURCES.parent / "handoff" / "desk.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and called(node) in sayers:
                for argument in node.args:
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                        yield file.name, argument.value


def called(call: ast.Call) -> str:
    function = call.func
    while isinstance(function, ast.Call):
        function = function.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def test_every_sentence_that_is_said_exists() -> None:
    said = list(keys_said())
    assert len(said) > 40
    assert [(file, key) for file, key in said if key not in CATALOGUE] == []


def test_an_unknown_key_or_a_missing_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        Texts("de")("no_such_key")
    with pytest.raises(KeyError):
        Texts("de")("added")


def test_braces_in_what_people_wrote_are_left_alone() -> None:
    assert "{0.__class__}" in Texts("en")("answer", title="{0.__class__}", text="{text}")


# --- when -------------------------------------------------------------------------------------------------------------
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MOMENT = Moment(NOW, ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("at", "german", "english"),
    [
        (datetime(2026, 11, 23, 11, 30, tzinfo=UTC), "heute bis 12:30 Uhr", "today by 12:30"),
        (datetime(2026, 11, 23, 23, 30, tzinfo=UTC), "morgen bis 00:30 Uhr", "tomorrow by 00:30"),
        (
            datetime(2026, 11, 27, 8, 0, tzinfo=UTC),
            "am Freitag, 27.11.2026, bis 09:00 Uhr",
            "on Friday, 27 Nov 2026, by 09:00",
        ),
        (NOW, "so bald wie möglich", "as soon as possible"),
    ],
)
def test_a_promise_is_said_as_people_say_it(at: datetime, german: str, english: str) -> None:
    assert MOMENT.promise(at, Texts("de")) == german
    assert MOMENT.promise(at, Texts("en")) == english


@pytest.mark.parametrize(
    ("at", "german", "english"),
    [
        (datetime(2026, 11, 23, 8, 30, tzinfo=UTC), "heute um 09:30 Uhr", "today at 09:30"),
        (
            datetime(2026, 11, 20, 15, 0, tzinfo=UTC),
            "am Freitag, 20.11.2026, um 16:00 Uhr",
            "on Friday, 20 Nov 2026, at 16:00",
        ),
    ],
)
def test_a_time_that_has_passed_is_said_with_its_day(at: datetime, german: str, english: str) -> None:
    assert MOMENT.at(at, Texts("de")) == german
    assert MOMENT.at(at, Texts("en")) == english


# --- replies ----------------------------------------------------------------------------------------------------------
def hit(language: str = "de", reviewed_on: date | None = None) -> Hit:
    sure = Confidence(0.9, 0.8, 1.0)
    return Hit(7, 9, "VPN", "", "Text", language, None, reviewed_on, 1, None, None, {}, sure)


def test_an_answer_names_its_source_and_review_date() -> None:
    assert replies.answer(Texts("de"), hit(reviewed_on=date(2026, 3, 1))).links == (
        Link("Quelle: VPN (Prüfdatum 01.03.2026)", "/kb/articles/7"),
    )
    assert (
        replies.answer(Texts("en"), hit("en", date(2026, 3, 1))).links[0].label
        == "Source: VPN (review date 1 Mar 2026)"
    )
    assert replies.answer(Texts("de"), hit()).links[0].label == "Quelle: VPN"


def test_an_answer_does_not_end_in_a_heading_with_nothing_under_it() -> None:
    cut = replace(hit(), text="Beidseitig drucken.\n\n**Duplexdruck in Microsoft Office**")
    assert replies.answer(Texts("de"), cut).text == "**VPN**\n\nBeidseitig drucken."


def test_an_answer_in_the_other_language_says_so() -> None:
    assert "nur auf Englisch. Möchten Sie" in replies.answer(Texts("de", "sie"), hit("en")).text
    assert "nur auf Englisch. Möchtest du" in replies.answer(Texts("de", "du"), hit("en")).text
    assert "only have this in German" in replies.answer(Texts("en"), hit("de")).text
    for language in ("de", "en"):
        assert replies.answer(Texts(language), hit(language)).text == "**VPN**\n\nText"


@pytest.mark.parametrize(("language", "other"), [("de", "en"), ("en", "de")])
def test_an_answer_in_the_other_language_ends_with_words_that_bring_a_person(language: str, other: str) -> None:
    reply = replies.answer(Texts(language), hit(other))
    wish = replies.person_button(Texts(language)).label
    assert reply.text.startswith("**VPN**\n\nText\n\n")
    assert re.search(rf"[„“]{wish}[“”]", reply.text.splitlines()[-1])
    assert asks_for_person(wish)


def test_a_choice_in_the_other_language_is_marked() -> None:
    def labels(language: str) -> list[str]:
        return [button.label for button in replies.ask_back(Texts(language), [hit("de"), hit("en")]).buttons][:2]

    assert labels("de") == ["VPN: Text", "VPN: Text (auf Englisch)"]
    assert labels("en") == ["VPN: Text (in German)", "VPN: Text"]


def test_every_reason_has_its_receipt_and_every_open_state_its_word() -> None:
    for reason in Reason:
        assert replies.RECEIPTS.get(reason, "receipt") in CATALOGUE
    assert {f"state_{state}" for state in OPEN_STATES} <= set(CATALOGUE)


def test_a_reply_survives_the_record() -> None:
    reply = Reply("Text", (Button("helped", "Ja", "1", "primary"),), (Link("Quelle", "/kb"),), "Maren")
    assert replies.from_json(reply.text, replies.to_json(reply)) == reply
    assert replies.from_json("Text", None) == Reply("Text")
