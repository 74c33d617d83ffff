"""Which files are kept with a case, and under which name; the same on every channel."""

from pathlib import PurePath

LONGEST_NAME = 150
NOT_ALLOWED = {
    *(".app", ".bat", ".cmd", ".com", ".cpl", ".dll", ".exe", ".hta", ".iso", ".jar", ".js", ".jse", ".lnk", ".msc"),
    *(".msi", ".msp", ".ps1", ".psm1", ".reg", ".scr", ".sct", ".sh", ".vb", ".vbe", ".vbs", ".wsf", ".wsh"),
}


def why_refused(name: str, size: int, limit: int) -> str | None:
    """Why a file of this name and size (limit: both in bytes) is not kept, as the end of a reply key; None: it is."""
    if size > limit:
        return "too_large"
    return "not_allowed" if PurePath(name).suffix.lower() in NOT_ALLOWED else None


def plain_name(name: str) -> str:
    """A file's name without folders and control characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(character for character in last if character.isprintable())[-LONGEST_NAME:] or "file"
