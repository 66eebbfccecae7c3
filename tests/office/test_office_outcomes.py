"""What was decided goes to the terminal that handed the case in, in commit order, to no other, whoever the person is."""

from __future__ import annotations

import pytest
from django.conf import settings
from townhall import Line, Terminal

from kiosk.office import outcomes as outcomes_module
from kiosk.office.decision import decide
from kiosk.office.enrolment_decision import decide_enrolment
from kiosk.office.models import Case, Counter
from kiosk.sync.wire import http
from kiosk.sync.wire.keys import signing_public
from kiosk.sync.wire.outcomes import OutcomesPull
from kiosk.sync.wire.pull import open_outcomes, open_pull, verify_unchanged

REASON = "照片不够清楚，请再认证一次。"


def pull(line: Line, after: int = 0) -> OutcomesPull | None:
    target = http.pull_target(http.OUTCOMES_PATH, after)
    headers = line.terminal.request_headers(target)
    answer = line.client.get(target, headers=headers)
    office = signing_public(line.terminal.office_signing)
    signature = answer.headers[http.PULL_SIGNATURE]
    if answer.status_code == 304:
        assert verify_unchanged(headers[http.NONCE], signature, [office])
        return None
    assert answer.status_code == 200, answer.content
    return open_outcomes(answer.content, signature, line.terminal.id, line.terminal.sealing, [office])


def decided(line: Line, officer, accepted: bool = True, **changes: object) -> str:
    case_id = line.hand_in(**changes)
    assert decide(case_id, 1, accepted, "" if accepted else REASON, officer)
    return case_id


def test_nothing_decided(line: Line) -> None:
    line.hand_in()
    assert pull(line) is None


def test_both_words_and_an_enrolment(line: Line, machine, officer) -> None:
    from drafts import make_enrolment

    line.terminal.seq = 50  # the machine counts for itself
    good, bad = decided(line, officer), decided(line, officer, accepted=False, number="999901194803020015")
    taken = machine.hand_in(make_enrolment())
    assert decide_enrolment(taken, 1, False, "与其他人员相似", False, officer)
    page = pull(line)
    assert [(one.case_id, one.state, one.reason) for one in page.outcomes] == [
        (good, "accepted", ""), (bad, "rejected", REASON), (taken, "rejected", ""),
    ]
    assert (page.after, page.replace, page.more, page.version) == (0, True, False, Counter.current("outcomes"))
    assert all(one.decided_on and one.case_number for one in page.outcomes)
    assert pull(line, page.version) is None
    later = decided(line, officer)
    after = pull(line, page.version)
    assert ([one.case_id for one in after.outcomes], after.replace) == ([later], False)


def test_another_terminal_hears_nothing_of_it(line: Line, officer, client) -> None:
    from django.utils import timezone

    from kiosk.office import models
    from kiosk.sync.wire.keys import public_hex

    decided(line, officer)
    other = Terminal(id="HG02", office_signing=line.terminal.office_signing, office_sealing=line.terminal.office_sealing)
    row = models.Terminal.objects.create(pk="HG02", site="金凤镇")
    models.TerminalKey.objects.create(
        terminal=row, epoch=1, name="t", enrolled=timezone.now(), signing_key=public_hex(other.signing.public_key()),
        sealing_key=public_hex(other.sealing.public_key()),
    )
    page = pull(Line(other, client))
    assert (page.outcomes, page.version) == ((), 1)
    assert pull(Line(other, client), page.version) is None


def test_pages_join_without_gap(line: Line, officer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes_module, "PAGE", 2)
    cases = [decided(line, officer) for _ in range(5)]
    told, after, more = [], 0, True
    while more:
        page = pull(line, after)
        told += [one.case_id for one in page.outcomes]
        after, more = page.version, page.more
    assert told == cases and after == 5


def test_a_terminal_ahead_of_a_restored_office_starts_anew(line: Line, officer) -> None:
    case_id = decided(line, officer)
    page = pull(line, 99)
    assert (page.after, page.replace, [one.case_id for one in page.outcomes]) == (99, True, [case_id])


def test_what_is_simulated_says_nothing(line: Line, officer, monkeypatch: pytest.MonkeyPatch) -> None:
    decided(line, officer, simulated=True)
    assert pull(line) is None and Case.objects.get().outcome_version is None
    monkeypatch.setattr(settings, "OFFICE", settings.OFFICE.model_copy(update={"demo": True}))
    decided(line, officer, simulated=True)
    assert len(pull(line).outcomes) == 1


def test_a_lost_race_takes_no_place(line: Line, officer) -> None:
    case_id = decided(line, officer)
    assert not decide(case_id, 1, False, REASON, officer)
    assert Counter.current("outcomes") == 1


def test_no_page_of_one_kind_opens_as_the_other(line: Line, officer) -> None:
    from kiosk.sync.wire.envelope import EnvelopeError

    decided(line, officer)
    target = http.pull_target(http.OUTCOMES_PATH, 0)
    answer = line.client.get(target, headers=line.terminal.request_headers(target))
    office = [signing_public(line.terminal.office_signing)]
    with pytest.raises(EnvelopeError, match="another key"):
        open_pull(answer.content, answer.headers[http.PULL_SIGNATURE], line.terminal.id, line.terminal.sealing, office)
    assert REASON.encode() not in answer.content


def test_who_asks_must_be_known(line: Line) -> None:
    target = http.pull_target(http.OUTCOMES_PATH, 0)
    other = Terminal()
    assert line.client.get(target, headers=other.request_headers(target)).status_code == 403
    assert line.client.get(target).status_code == 400
