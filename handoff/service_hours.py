"""When people work: service hours with holidays, and when a person reacts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import holidays

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class ServiceHours:
    """hours: (start, end) by weekday (`mon` ... `sun`), a missing day is free. country, state: of the holidays."""

    hours: Mapping[str, tuple[time, time]]
    zone: ZoneInfo
    country: str | None = None
    state: str | None = None

    @cached_property
    def _holidays(self) -> Mapping[date, str]:
        return holidays.country_holidays(self.country, subdiv=self.state) if self.country else {}

    def window(self, day: date) -> tuple[datetime, datetime] | None:
        """Start and end of service on a day, None on a free day."""
        hours = self.hours.get(WEEKDAYS[day.weekday()])
        if hours is None or day in self._holidays:
            return None
        return datetime.combine(day, hours[0], self.zone), datetime.combine(day, hours[1], self.zone)

    def is_open(self, at: datetime) -> bool:
        """Whether people work at this time."""
        window = self.window(at.astimezone(self.zone).date())
        return window is not None and window[0] <= at < window[1]

    def add(self, start: datetime, duration: timedelta) -> datetime:
        """The time when this much service time has passed since start, in UTC. Without any service hours: the clock."""
        if not self.hours:
            return start + duration
        left, day = duration, start.astimezone(self.zone).date()
        while True:
            window = self.window(day)
            if window is not None:
                begin = max(window[0].astimezone(UTC), start)
                room = window[1].astimezone(UTC) - begin
                if room >= left and room > timedelta(0):
                    return (begin + left).astimezone(UTC)
                left -= max(room, timedelta(0))
            day += timedelta(days=1)
