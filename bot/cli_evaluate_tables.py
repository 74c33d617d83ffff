"""An evaluation for people: tables of at most 100 columns."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from bot.terminal import out

Numbers = Mapping[str, Any]
FINDING = {"recall@1": "right article first", "recall@3": "among the first three", "recall@10": "among the first ten"}
PLAIN = {
    "mrr@10": "mean reciprocal rank (MRR@10)",
    "ndcg@10": "nDCG@10",
    "auroc_near": "told from near unanswerable (AUROC)",
    "auroc_far": "told from far unanswerable (AUROC)",
    "ece": "calibration error (ECE)",
}
SORTS = {"confident_wrong": "Answered wrongly, surest first", "handed_over": "Handed over in spite of an article"}
LANGUAGES = {"de": "German", "en": "English", "crosslingual": "cross-lingual", "all": "all"}


def tell_report(report: Numbers) -> None:
    """The whole report (see `kb_index.evaluation.measure`)."""
    size = f"{report['all']['n']} questions, {report['articles']} articles"
    out().print(f"{size}; judged by {report['judged_by']}.", markup=False)
    groups = groups_of(report)
    out().print(finding_table(groups))
    for risk in report["risks"]:
        out().print(promise_table(groups, risk, report["assurance"]))
    for title, rows in (("kind", report["by_kind"]), ("collection", report["by_collection"])):
        out().print(summary_table(title, rows, report["risks"][0]))
    tell_worst(report["worst"][report["risks"][0]], report["risks"][0])
    tell_shortcomings(report["does_not_hold"])


def groups_of(report: Numbers) -> dict[str, Numbers]:
    """The columns: languages, cross-lingual questions where there are any, all where that is more than one."""
    groups = dict(report["languages"])
    if report["crosslingual"]:
        groups["crosslingual"] = report["crosslingual"]
    return groups | ({"all": report["all"]} if len(groups) != 1 else {})


def finding_table(groups: Mapping[str, Numbers]) -> Table:
    """How many questions, how well the right article is found, how well it is known."""
    table = table_of("Finding and knowing", groups)
    row(table, "questions", groups, lambda one: str(one["n"]))
    sorts = ("answerable", "near", "far")
    row(table, "  with an answer / near / far", groups, lambda one: " / ".join(str(one[sort]) for sort in sorts))
    for key, label in FINDING.items():
        row(table, label, groups, lambda one, key=key: with_interval(one[key], one[f"{key}_interval"]))
    for key, label in PLAIN.items():
        row(table, label, groups, lambda one, key=key: number(one[key]))
    return table


def promise_table(groups: Mapping[str, Numbers], risk: str, assurance: float) -> Table:
    """What would be done when at most this share of the answers may be wrong."""
    table = table_of(f"At most {float(risk):.0%} of the answers wrong, {assurance:.0%} sure", groups)
    row(table, "answered", groups, lambda one: percent(one[f"answered@{risk}"]))
    row(table, "  wrong answers (at most, 95 %)", groups, lambda one: wrong(one, risk))
    row(table, "  of the answerable, answered right", groups, lambda one: percent(one[f"right_of_answerable@{risk}"]))
    row(table, "asked back", groups, lambda one: percent(one[f"asked_back@{risk}"]))
    row(table, "  the right article offered", groups, lambda one: percent(one[f"asked_back_right@{risk}"]))
    row(table, "handed over to a person", groups, lambda one: percent(one[f"handed_over@{risk}"]))
    for kind in ("near", "far"):
        row(table, f"  of the {kind} unanswerable", groups, lambda one, k=kind: percent(one[f"{k}_handed_over@{risk}"]))
    return table


def summary_table(title: str, rows: Mapping[str, Numbers], risk: str) -> Table:
    """Kinds or collections in short, by what happens at the first risk."""
    table = Table(f"{title} (at {float(risk):.0%})", title_justify="left")
    for name in ("n", "first", "first 3", "answered", "wrong", "asked back", "handed over"):
        table.add_column(name, justify="right")
    for name, one in rows.items():
        answered, wrong_ones = one[f"answered@{risk}"], one[f"wrong@{risk}"]
        shares = (one["recall@1"], one["recall@3"], answered, wrong_ones if answered else None)
        rest = (one[f"{word}@{risk}"] for word in ("asked_back", "handed_over"))
        table.add_row(escape(name), str(one["n"]), *(percent(share) for share in (*shares, *rest)))
    return table


def tell_worst(cases: Mapping[str, Sequence[Numbers]], risk: str) -> None:
    """Questions to read."""
    for sort, label in SORTS.items():
        if cases[sort]:
            out().print(f"\n[bold]{label}[/] (at {float(risk):.0%}):")
        for case in cases[sort]:
            out().print("\n".join(lines_of(case)), markup=False)


def lines_of(case: Numbers) -> Iterator[str]:
    """One question with what was found and what should have been."""
    yield f"  {case['probability']:.0%}  {case['question']}"
    found = named(case["found"], case["found_id"]) if case["found_id"] else "nothing"
    place = f", found in place {case['rank']}" if case["rank"] else ", not found"
    right = "; ".join(map(named, case["right"], case["right_ids"])) + place if case["right"] else "no article"
    yield f"       found: {found}"
    yield f"       right: {right}"


def named(title: str, slug: str) -> str:
    """Titles may be the same, ids are not."""
    return title if title == slug else f"{title} ({slug})"


def tell_shortcomings(sentences: Sequence[str]) -> None:
    """What does not hold, or is not shown."""
    if not sentences:
        out().print("\n[green]Every promise holds, and there are enough questions to say so.[/]")
        return
    out().print("\n[bold yellow]What does not hold:[/]")
    for sentence in sentences:
        out().print(f"  · {sentence}", markup=False)


def table_of(title: str, groups: Mapping[str, Numbers]) -> Table:
    table = Table(title, title_justify="left")
    for name in groups:
        table.add_column(escape(LANGUAGES.get(name, name)), justify="right")
    return table


def row(table: Table, label: str, groups: Mapping[str, Numbers], cell: Any) -> None:
    table.add_row(label, *(cell(one) for one in groups.values()))


def wrong(one: Numbers, risk: str) -> str:
    """The share of wrong answers and its bound; nothing where nothing is answered."""
    bound = one[f"wrong_upper@{risk}"]
    return "·" if bound is None else f"{one[f'wrong@{risk}']:.1%} ({bound:.1%})"


def with_interval(value: float | None, interval: Sequence[float] | None) -> str:
    return "·" if value is None or interval is None else f"{value:.1%} ({interval[0]:.0%}-{interval[1]:.0%})"


def percent(value: float | None) -> str:
    return "·" if value is None else f"{value:.1%}"


def number(value: float | None) -> str:
    return "·" if value is None else f"{value:.3f}"
