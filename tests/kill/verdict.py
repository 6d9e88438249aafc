"""What a kill run lost and doubled, counted from what callers heard and what the peers received.

accepted  a press or a webhook that was answered 2xx, or whose run is listed afterwards.
lost      an accepted press whose page or mail never arrived, an accepted webhook whose mail never arrived.
doubled   two keys for one press (an incident_key, a Message-ID), or more calls of one key than faults explain: each
          further call needs the one before it to have gone unanswered, or a kill while that one's run was under way."""
import collections
import re
from dataclasses import dataclass, field

IN_FLIGHT_S = 0.25  # what left before a kill may reach the peer, through its TLS front, after it
UNDER_WAY_S = 10  # a press is answered within 8 s, and its run ends with the answer
NAME = re.compile(r"\b(?:site|hook)-\d{5}\b")


@dataclass
class Sent:
    """A press or a webhook: its name travels through the flow to the peers."""
    name: str
    accepted: bool = False

    @property
    def wants_page(self):
        return self.name.startswith("site-")


@dataclass
class Received:
    """A call of one key that reached a peer; answered is False where the peer kept its answer to itself or said no."""
    kind: str  # "page" or "mail"
    name: str
    key: str
    at: float
    answered: bool
    purpose: str = ""  # mails of one press to different people are different mails


@dataclass
class Verdict:
    accepted: int = 0
    lost: list = field(default_factory=list)
    doubled: list = field(default_factory=list)


def count(sent, received, kills) -> Verdict:
    verdict = Verdict(sum(s.accepted for s in sent))
    arrived = {(r.kind, r.name) for r in received}
    for one in sent:
        for kind in ("page", "mail") if one.wants_page else ("mail",):
            if one.accepted and (kind, one.name) not in arrived:
                verdict.lost.append(f"{one.name}: no {kind}")
    keys, calls = collections.defaultdict(set), collections.defaultdict(list)
    for r in received:
        keys[r.kind, r.name, r.purpose].add(r.key)
        calls[r.kind, r.key, r.purpose].append(r)
    for (kind, name, purpose), found in keys.items():
        if len(found) > 1:
            verdict.doubled.append(f"{name}: {len(found)} keys for one {kind} {purpose}: {', '.join(sorted(found))}")
    for (kind, key, purpose), found in calls.items():
        found.sort(key=lambda r: r.at)
        for before, after in zip(found, found[1:]):
            if before.answered and not any(before.at - IN_FLIGHT_S <= k <= min(after.at, before.at + UNDER_WAY_S) for k in kills):
                verdict.doubled.append(f"{before.name}: {kind} {key} {purpose} came again {after.at - before.at:.1f} s after it was answered")
    return verdict
