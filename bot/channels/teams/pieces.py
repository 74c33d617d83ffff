"""What cards of Teams are made of: lines of links, buttons, and what one message has room for."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from bot.channels.cutting import shorten
from bot.channels.markdown import WEB
from bot.channels.port import Button, Link
from bot.channels.teams.rich import Element, cleaned, line, link, run
from bot.channels.teams.split import size

CARD_TYPE = "application/vnd.microsoft.card.adaptive"
LARGEST_CARD = 25_000  # bytes of JSON; Teams takes 28,672 for the whole activity
ENVELOPE = 3_000  # bytes kept for what surrounds the words: the card itself, its mark, a mention
LONGEST_BUTTON, LONGEST_LABEL, LONGEST_LINK = 60, 200, 2000
MOST_PRIMARY, LINKS_IN_ROW = 6, 5
NOTHING = "…"
LOOKS = {"primary": "positive", "danger": "destructive"}
DIALOGS = {"reply", "note", "resolve", "edit"}
FETCH = {"type": "task/fetch"}


@dataclass
class Post:
    """What one message will hold."""

    text: list[Element]
    links: list[Element] = field(default_factory=list)
    actions: list[Element] = field(default_factory=list)

    def has_room(self, more: Element) -> bool:
        return size([self.text, self.links, self.actions, more]) <= LARGEST_CARD - ENVELOPE


def one_line(text: str) -> str:
    return " ".join(cleaned(text).split())


# --- links and buttons ------------------------------------------------------------------------------------------------
def link_lines(links: Sequence[Link], absolute: Callable[[str], str], longest: int = LONGEST_LINK) -> Iterator[Element]:
    """Small and beside each other."""
    for start in range(0, len(links), LINKS_IN_ROW):
        runs: list[Element] = []
        for one in links[start : start + LINKS_IN_ROW]:
            runs += [*([small(" · ")] if runs else []), linked(one, absolute, longest)]
        yield line(runs, "Small" if start else "Medium")


def linked(one: Link, absolute: Callable[[str], str], longest: int) -> Element:
    """A label that opens its address, or the label alone when the address cannot be a link."""
    url = cleaned(one.url if one.url.startswith(WEB) else absolute(one.url)).strip().replace(" ", "%20")
    label = small(shorten(one_line(one.label), LONGEST_LABEL) or NOTHING)
    return link(label, url) if url.startswith(WEB) and len(url) <= longest else label


def small(text: str) -> Element:
    return run(text, size="Small", isSubtle=True)


def action_elements(buttons: Iterable[Button], key: str, *, of_card: bool = False) -> Iterator[Element]:
    for button in buttons:
        opens = of_card and button.action in DIALOGS
        yield dialog_action(button, key) if opens else press_action(button, key)


def press_action(button: Button, key: str) -> Element:
    """What is pressed comes back with its card; where Teams is too old for that, as a message."""
    title, data = button_title(button), carried(button, key)
    return {
        "type": "Action.Execute",
        "title": title,
        "verb": button.action,
        "data": data,
        **styled(button),
        "fallback": {"type": "Action.Submit", "title": title, "data": data},
    }


def dialog_action(button: Button, key: str) -> Element:
    data = {**carried(button, key), "msteams": FETCH}
    return {"type": "Action.Submit", "title": button_title(button), "data": data, **styled(button)}


def carried(button: Button, key: str) -> Element:
    return {"lotse": {"action": button.action, "key": key, "value": button.value}}


def styled(button: Button) -> Element:
    return {"style": LOOKS[button.style]} if button.style in LOOKS else {}


def button_title(button: Button) -> str:
    return shorten(one_line(button.label), LONGEST_BUTTON) or NOTHING


def placed(action: Element, number: int) -> Element:
    """Those that have no place beside the first are behind `…`."""
    return action if number < MOST_PRIMARY else action | {"mode": "secondary"}
