"""The rule of the frame, by hand: merges, splits, late reports; and that merges keep the total."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from dienrong.registry.frame import Count, Ledger, Transfer

A, B, C, D, E = range(1, 6)
SEPTEMBER, JANUARY, FEBRUARY, MARCH = date(2025, 9, 5), date(2026, 1, 10), date(2026, 2, 20), date(2026, 3, 1)


def counts(**schools: tuple[int, date]) -> dict[int, dict[int, Count]]:
    """Give counts of grade 5, a class for every 25 pupils."""
    keys = {"a": A, "b": B, "c": C, "d": D, "e": E}
    return {keys[name]: {5: Count(n, n // 25, day)} for name, (n, day) in schools.items()}


def merge(order: int, day: date, predecessors: list[int], successor: int) -> list[Transfer]:
    return [
        Transfer(order=order, on_date=day, kind="merge", predecessor=school, successor=successor)
        for school in predecessors
        if school != successor
    ]


def share(order: int, day: date, predecessor: int, successor: int, n: int) -> Transfer:
    return Transfer(
        order=order,
        on_date=day,
        kind="split",
        predecessor=predecessor,
        successor=successor,
        shares={5: (n, n // 25)} if n else {},
    )


def pupils(ledger: Ledger, school: int, grade: int = 5) -> int | None:
    count = ledger.holding(school, grade).count
    return count.n_students if count is not None else None


AB = {"a": (100, SEPTEMBER), "b": (50, SEPTEMBER)}


def test_a_new_school_has_the_pupils_of_those_that_merged_into_it() -> None:
    ledger = Ledger(counts(**AB), merge(1, JANUARY, [A, B], C))
    held = ledger.holding(C, 5)
    assert (held.count.n_students, held.count.n_classes, held.joined) == (150, 6, {A, B})
    assert held.count.counted_on == SEPTEMBER
    assert ledger.grades_of(C) == {5}


def test_a_school_that_takes_another_in_keeps_its_own_pupils_too() -> None:
    assert pupils(Ledger(counts(**AB), merge(1, JANUARY, [A, B], A)), A) == 150


def test_a_report_after_the_merge_takes_the_place_of_what_came() -> None:
    found = counts(**AB, c=(148, FEBRUARY))
    ledger = Ledger(found, merge(1, JANUARY, [A, B], C))
    assert (pupils(ledger, C), ledger.holding(C, 5).joined) == (148, frozenset())
    absorbing = Ledger(counts(a=(149, FEBRUARY), b=(50, SEPTEMBER)), merge(1, JANUARY, [A, B], A))
    assert pupils(absorbing, A) == 149
    on_the_day = Ledger(counts(a=(149, JANUARY), b=(50, SEPTEMBER)), merge(1, JANUARY, [A, B], A))
    assert pupils(on_the_day, A) == 149


def test_a_report_of_one_grade_does_not_silence_another() -> None:
    found = {A: {5: Count(100, 4, SEPTEMBER), 9: Count(80, 3, SEPTEMBER)}, C: {5: Count(98, 4, FEBRUARY)}}
    ledger = Ledger(found, merge(1, JANUARY, [A], C))
    assert (pupils(ledger, C, 5), pupils(ledger, C, 9)) == (98, 80)


def test_a_merge_written_down_late_counts_schools_that_reported_apart() -> None:
    """Both reported on 2026-02-20, the merge of 2026-01-10 was recorded afterwards: 150, not 100."""
    found = counts(a=(100, FEBRUARY), b=(50, FEBRUARY))
    assert pupils(Ledger(found, merge(1, JANUARY, [A, B], A)), A) == 150
    later = counts(a=(151, MARCH), b=(50, FEBRUARY))
    assert pupils(Ledger(later, merge(1, JANUARY, [A, B], A)), A) == 151


def test_a_chain_of_merges_carries_everything_along() -> None:
    found = counts(**AB, c=(30, SEPTEMBER), d=(20, SEPTEMBER))
    chain = [*merge(1, JANUARY, [A, B], B), *merge(2, FEBRUARY, [B, C], C), *merge(3, MARCH, [C, D], E)]
    ledger = Ledger(found, chain)
    assert pupils(ledger, E) == 200
    assert ledger.holding(E, 5).joined == {A, B, C, D}
    same_day = [*merge(1, JANUARY, [A, B], B), *merge(2, JANUARY, [B, C], C)]
    assert pupils(Ledger(found, same_day), C) == 180


def test_a_merge_before_the_own_count_of_a_link_of_the_chain_is_in_that_count() -> None:
    found = counts(a=(100, SEPTEMBER), b=(140, FEBRUARY), c=(30, SEPTEMBER))
    chain = [*merge(1, JANUARY, [A, B], B), *merge(2, MARCH, [B, C], D)]
    assert pupils(Ledger(found, chain), D) == 170


def test_a_merge_and_then_a_split_gives_everyone_the_share_of_the_decision() -> None:
    events = [*merge(1, JANUARY, [A, B], C), share(2, FEBRUARY, C, D, 90), share(2, FEBRUARY, C, E, 60)]
    ledger = Ledger(counts(**AB), events)
    assert (pupils(ledger, D), pupils(ledger, E)) == (90, 60)


def test_a_split_school_that_goes_on_keeps_its_share_alone() -> None:
    events = [*merge(1, JANUARY, [A, B], A), share(2, FEBRUARY, A, A, 110), share(2, FEBRUARY, A, D, 40)]
    ledger = Ledger(counts(**AB), events)
    assert (pupils(ledger, A), pupils(ledger, D)) == (110, 40)
    all_left = [share(2, FEBRUARY, A, A, 0), share(2, FEBRUARY, A, D, 100)]
    ledger = Ledger(counts(a=(100, SEPTEMBER)), all_left)
    assert (pupils(ledger, A), pupils(ledger, D)) == (None, 100)


def test_a_school_that_gets_a_share_adds_it_until_it_reports() -> None:
    events = [share(1, JANUARY, A, A, 70), share(1, JANUARY, A, B, 30)]
    assert pupils(Ledger(counts(**AB), events), B) == 80
    assert pupils(Ledger(counts(a=(100, SEPTEMBER), b=(79, FEBRUARY)), events), B) == 79
    assert pupils(Ledger(counts(a=(69, FEBRUARY), b=(50, SEPTEMBER)), events), A) == 69


def test_a_merge_after_the_split_adds_to_the_share() -> None:
    events = [share(1, JANUARY, A, A, 60), share(1, JANUARY, A, C, 40), *merge(2, FEBRUARY, [B, A], A)]
    assert pupils(Ledger(counts(**AB), events), A) == 110


def test_a_school_of_which_nothing_is_known_is_absent_not_zero() -> None:
    ledger = Ledger({}, merge(1, JANUARY, [A, B], C))
    assert ledger.holding(C, 5).count is None
    assert ledger.grades_of(C) == set()


@st.composite
def merge_histories(draw: st.DrawFn) -> tuple[dict[int, dict[int, Count]], list[Transfer], set[int]]:
    """Draw counts of some schools, and merges among those that are still open, all after the counts."""
    n_schools = draw(st.integers(2, 12))
    found = {
        school: {
            grade: Count(draw(st.integers(0, 300)), 1, SEPTEMBER + timedelta(days=draw(st.integers(0, 20))))
            for grade in draw(st.sets(st.sampled_from([0, 1, 5, 9, 12]), max_size=3))
        }
        for school in range(n_schools)
    }
    standing, transfers, day, fresh = set(range(n_schools)), [], JANUARY, n_schools
    for order in range(draw(st.integers(0, 8))):
        if len(standing) < 2:
            break
        joining = draw(st.lists(st.sampled_from(sorted(standing)), min_size=2, max_size=4, unique=True))
        day += timedelta(days=draw(st.integers(0, 3)))
        successor = fresh if draw(st.booleans()) else joining[0]
        fresh += successor == fresh
        transfers += merge(order, day, joining, successor)
        standing = (standing - set(joining)) | {successor}
    return found, transfers, standing


@settings(max_examples=200)
@given(merge_histories())
def test_merges_keep_the_pupils_of_every_grade(history) -> None:
    found, transfers, standing = history
    ledger = Ledger(found, transfers)
    for grade in (0, 1, 5, 9, 12):
        before = sum(grades[grade].n_students for grades in found.values() if grade in grades)
        assert sum(pupils(ledger, school, grade) or 0 for school in standing) == before
    for school in standing:
        assert ledger.grades_of(school) == {
            grade for grade in (0, 1, 5, 9, 12) if ledger.holding(school, grade).count is not None
        }
