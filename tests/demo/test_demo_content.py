"""What ships in demo/: every article is licensed and credited, people, cases and questions fit together."""

import re
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

DEMO = Path(__file__).parents[2] / "demo"
CATEGORIES = {
    *("accounts", "mail", "meetings", "files", "office", "printing"),
    *("devices", "browser", "network", "security", "other"),
}
QUEUES = {"service-desk", "workplace", "network", "security"}
FRONT_MATTER = {  # and `parallel`, where the article has a counterpart in the other language
    *("id", "title", "lang", "category", "queue", "owner", "review", "audience"),
    *("licence", "source", "translation", "changes"),
}
DU = re.compile(r"\b([Dd]u|[Dd]ich|[Dd]ir|[Dd]ein(e[mnrs]?)?)\b")
SIE = re.compile(r"\b(Sie|Ihnen|Ihr(e[mnrs]?)?)\b")


def article_files() -> list[Path]:
    return sorted((DEMO / "kb").glob("*/*.md"))


@cache
def read(path: Path) -> tuple[dict[str, Any], str]:
    _, head, body = path.read_text(encoding="utf-8").split("---\n", 2)
    return yaml.safe_load(head), body


@cache
def articles() -> dict[str, dict[str, Any]]:
    return {head["id"]: head for head, _ in map(read, article_files())}


@cache
def load(name: str) -> Any:
    return yaml.safe_load((DEMO / f"{name}.yml").read_text(encoding="utf-8"))


def people(role: str = "") -> dict[str, dict[str, Any]]:
    return {person["id"]: person for person in load("people")["people"] if not role or role in person["roles"]}


def cases() -> list[dict[str, Any]]:
    return list(load("cases")["cases"])


def source_url(source: str) -> str:
    """The page of a source written as `owner/name (fork of owner/name)@commit:path`, the bracket optional."""
    repository, commit, path = re.sub(r" \(fork of \S+\)", "", source).replace("@", ":", 1).split(":", 2)
    return f"https://github.com/{repository}/blob/{commit}/{path.replace(' ', '%20')}"


def address_of(text: str) -> set[str]:
    """The forms of address in a German text: a subset of {"du", "sie"}."""
    return {form for form, pattern in (("du", DU), ("sie", SIE)) if pattern.search(text)}


each_case = pytest.mark.parametrize("case", cases(), ids=lambda case: case["id"])


def test_at_least_a_hundred_articles_in_two_languages() -> None:
    languages = [head["lang"] for head in articles().values()]
    assert len(languages) >= 100
    assert min(languages.count("de"), languages.count("en")) >= 50


def test_ids_are_unique() -> None:
    assert len(articles()) == len(article_files())


def test_no_two_articles_of_a_language_share_a_title() -> None:
    titles = [(head["lang"], head["title"]) for head in articles().values()]
    assert len(set(titles)) == len(titles)


def test_front_matter_is_complete() -> None:
    assert [path.stem for path in article_files() if set(read(path)[0]) - {"parallel"} != FRONT_MATTER] == []
    assert [id_ for id_, head in articles().items() if not all(head.values())] == []


def test_front_matter_agrees_with_file_and_heading() -> None:
    for path in article_files():
        head, body = read(path)
        assert (head["id"], head["lang"]) == (path.stem, path.parent.name)
        assert body.lstrip().startswith(f"# {head['title']}\n"), path.stem


def test_front_matter_uses_only_known_values() -> None:
    heads = articles().values()
    assert {head["category"] for head in heads} <= CATEGORIES
    assert {head["queue"] for head in heads} <= QUEUES
    assert {head["audience"] for head in heads} == {"everyone", "agents"}
    assert {head["review"].year for head in heads if isinstance(head["review"], date)} == {2026, 2027}


def test_every_licence_allows_shipping() -> None:
    assert {head["licence"] for head in articles().values()} == {"CC BY 4.0", "CC0 1.0"}


def test_no_html_is_left() -> None:
    tag = re.compile(r"<(a|br|img|span|div|table|p)\b")
    assert [path.stem for path in article_files() if tag.search(read(path)[1])] == []


def test_attribution_lists_exactly_the_articles_that_ship() -> None:
    listed = re.findall(r"^- `([^`]+)`: \[", (DEMO / "ATTRIBUTION.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(articles())


def test_attribution_links_each_source_and_says_what_changed() -> None:
    lines = dict(
        re.findall(r"^- `([^`]+)`: (.*)$", (DEMO / "ATTRIBUTION.md").read_text(encoding="utf-8"), re.MULTILINE)
    )
    for id_, head in articles().items():
        assert source_url(head["source"]) in lines[id_]
        assert lines[id_].endswith(f"; changed: {head['changes']}") or head["changes"] == "none"
        assert ("; changed: " in lines[id_]) == (head["changes"] != "none")


def test_parallel_articles_point_at_each_other() -> None:
    links = {(one, other) for one, head in articles().items() for other in head.get("parallel", [])}
    assert links
    assert links == {(other, one) for one, other in links}
    assert all(articles()[one]["lang"] != articles()[other]["lang"] for one, other in links)


def test_a_few_articles_are_for_agents_only() -> None:
    assert 3 <= [head["audience"] for head in articles().values()].count("agents") <= 4


def test_every_role_is_played() -> None:
    assert len(people()) == len(load("people")["people"])
    assert [len(people(role)) for role in ("employee", "agent", "third_level", "editor")] == [4, 4, 1, 1]
    assert {person["address"] for person in people("employee").values()} == {"du", "sie", None}


def test_german_speakers_have_a_form_of_address_and_english_ones_none() -> None:
    assert all((person["address"] is None) == (person["language"] == "en") for person in people().values())


@each_case
def test_case_names_people_in_their_roles(case: dict[str, Any]) -> None:
    requester = people("employee")[case["requester"]]
    assert requester["language"] == case["language"]
    assert case["agent"] is None or case["agent"] in people("agent")
    assert all(people()[message["by"]]["roles"] != ["employee"] for message in case["messages"] if "by" in message)


@each_case
def test_case_is_told_in_order(case: dict[str, Any]) -> None:
    times = [message["after"] for message in case["messages"]]
    assert times == sorted(times)
    assert case["messages"][0]["who"] == "requester"
    assert {message["who"] for message in case["messages"]} <= {"requester", "bot", "agent", "note"}
    assert re.fullmatch(r"[0-2]\d:[0-5]\d", case["at"])


@each_case
def test_case_fits_its_state(case: dict[str, Any]) -> None:
    is_resolved, is_new = case["state"] == "resolved", case["state"] == "new"
    assert bool(case["cause"]) == bool(case["fix"]) == is_resolved
    assert (case["agent"] is None) == is_new
    assert case["category"] in CATEGORIES
    assert case["queue"] in QUEUES
    assert {case["impact"], case["urgency"]} <= {1, 2, 3}


def test_cases_cover_both_languages_and_all_states() -> None:
    assert sorted(case["language"] for case in cases()) == ["de"] * 4 + ["en"] * 4
    assert sorted(case["state"] for case in cases()) == ["in_progress", "new"] + ["resolved"] * 6
    assert len({case["id"] for case in cases()}) == 8


def test_open_questions_are_asked_by_employees() -> None:
    questions = load("cases")["open_questions"]
    assert len(questions) == 2
    assert all(people("employee")[question["asked_by"]]["language"] == question["language"] for question in questions)


@pytest.mark.parametrize("case", [case for case in cases() if case["language"] == "de"], ids=lambda case: case["id"])
def test_german_cases_never_mix_du_and_sie(case: dict[str, Any]) -> None:
    used = set().union(*(address_of(message["text"]) for message in case["messages"] if message["who"] != "note"))
    assert used == {people()[case["requester"]]["address"]}


def test_a_mixed_text_would_be_noticed() -> None:
    assert address_of("Klicken Sie hier, dann siehst du es.") == {"du", "sie"}
    assert address_of("Sobald sie da ist, geht es weiter.") == set()


@pytest.mark.parametrize("language", ["de", "en"])
def test_questions_name_articles_of_their_language(language: str) -> None:
    questions = load("questions")[language]
    named = [question["article"] for question in questions["answered"]]
    named += [article for question in questions["ask_back"] for article in question["articles"]]
    assert [articles()[article]["lang"] for article in named] == [language] * len(named)
    assert all(articles()[article]["audience"] == "everyone" for article in named)
    assert all(2 <= len(question["articles"]) <= 3 for question in questions["ask_back"])


@pytest.mark.parametrize("language", ["de", "en"])
def test_questions_of_every_kind(language: str) -> None:
    kinds = {kind: len(questions) for kind, questions in load("questions")[language].items()}
    assert kinds == {"answered": 6, "ask_back": 3, "unknown": 3, "sensitive": 2, "out_of_scope": 2}
