"""When people work, and when they react: weekends, holidays, clock changes."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handoff.service_hours import WEEKDAYS, ServiceHours

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = ServiceHours({day: (time(8), time(17)) for day in WEEKDAYS[:5]}, BERLIN, "DE", "BE")


def berlin(*when: int) -> datetime:
    return datetime(*when, tzinfo=BERLIN)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        (berlin(2026, 11, 23, 8, 0), True),
        (berlin(2026, 11, 23, 7, 59), False),
        (berlin(2026, 11, 23, 16, 59), True),
        (berlin(2026, 11, 23, 17, 0), False),
        (berlin(2026, 11, 22, 12, 0), False),  # a Sunday
        (berlin(2026, 12, 25, 12, 0), False),  # Christmas
        (berlin(2027, 3, 8, 12, 0), False),  # Women's Day, a holiday in Berlin only
        (datetime(2026, 11, 23, 7, 30, tzinfo=UTC), True),  # half past eight there
    ],
)
def test_when_people_work(at: datetime, is_open: bool) -> None:
    assert OFFICE.is_open(at) is is_open


def test_a_holiday_of_one_state_is_a_working_day_in_another() -> None:
    bavaria = ServiceHours(OFFICE.hours, BERLIN, "DE", "BY")
    assert bavaria.is_open(berlin(2027, 3, 8, 12, 0))
    assert ServiceHours(OFFICE.hours, BERLIN).is_open(berlin(2026, 12, 25, 12, 0))


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        (berlin(2026, 11, 23, 9, 0), 2, berlin(2026, 11, 23, 11, 0)),
        (berlin(2026, 11, 23, 16, 0), 2, berlin(2026, 11, 24, 9, 0)),
        (berlin(2026, 11, 23, 15, 0), 2, berlin(2026, 11, 23, 17, 0)),
        (berlin(2026, 11, 27, 16, 30), 1, berlin(2026, 11, 30, 8, 30)),  # over a weekend
        (berlin(2026, 12, 24, 16, 30), 1, berlin(2026, 12, 28, 8, 30)),  # over Christmas
        (berlin(2026, 11, 22, 3, 0), 1, berlin(2026, 11, 23, 9, 0)),
        (berlin(2026, 3, 27, 16, 0), 10, berlin(2026, 3, 30, 17, 0)),  # the clock changes in between
    ],
)
def test_service_time_passes_only_while_people_work(start: datetime, hours: int, end: datetime) -> None:
    assert OFFICE.add(start, timedelta(hours=hours)) == end


def test_without_service_hours_the_clock_counts() -> None:
    start = berlin(2026, 11, 22, 3, 0)
    assert ServiceHours({}, BERLIN).add(start, timedelta(hours=1)) == start + timedelta(hours=1)


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.integers(1, 4000),
    st.integers(0, 4000),
)
def test_a_reaction_is_due_in_service_time_and_never_earlier_for_more(start: datetime, minutes: int, more: int) -> None:
    due = OFFICE.add(start, timedelta(minutes=minutes))
    assert due >= start + timedelta(minutes=minutes)
    assert OFFICE.is_open(due - timedelta(microseconds=1))
    assert OFFICE.add(start, timedelta(minutes=minutes + more)) >= due
