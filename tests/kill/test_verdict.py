"""Each way to lose or to double is seen, and what faults explain is not held against the server."""
from verdict import Received, Sent, count

PRESS = Sent("site-00001", True)


def page(at, answered=True, key="w/site-00001"):
    return Received("page", "site-00001", key, at, answered)


def mail(at, answered=True, key="<1@w>", to="ops"):
    return Received("mail", "site-00001", key, at, answered, to)


def test_one_page_and_one_mail_each_is_good():
    verdict = count([PRESS, Sent("hook-00002", True)], [page(1), mail(1), mail(1, key="<2@w>", to="customer"),
                                                        Received("mail", "hook-00002", "<3@w>", 2, True)], [])
    assert (verdict.accepted, verdict.lost, verdict.doubled) == (2, [], [])


def test_what_never_arrived_is_lost_if_it_was_accepted():
    assert count([PRESS], [mail(1)], []).lost == ["site-00001: no page"]
    assert count([PRESS], [page(1)], []).lost == ["site-00001: no mail"]
    assert count([Sent("hook-00002", True)], [], []).lost == ["hook-00002: no mail"]
    assert count([Sent("site-00001", False)], [], []).lost == []


def test_two_keys_are_doubled_even_after_a_kill():
    assert len(count([PRESS], [page(1), mail(1), page(3, key="w/other")], [2]).doubled) == 1
    assert len(count([PRESS], [page(1), mail(1), mail(3, key="<2@w>")], [2]).doubled) == 1


def test_a_further_call_needs_a_fault_or_a_kill_of_its_own():
    assert len(count([PRESS], [page(1), mail(1), page(3)], []).doubled) == 1
    assert count([PRESS], [page(1), mail(1), page(3)], [2]).doubled == []
    assert len(count([PRESS], [page(1), mail(1), page(3), page(4)], [2]).doubled) == 1
    assert count([PRESS], [page(1), mail(1), page(3), page(4)], [2, 3.5]).doubled == []
    assert count([PRESS], [page(1, answered=False), mail(1), page(3)], []).doubled == []
    assert len(count([PRESS], [page(1), mail(1), page(60)], [50]).doubled) == 1
