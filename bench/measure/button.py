"""The emergency button, live: page, mails, scan of three endpoints and two name servers; all peers well, on loopback."""
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from . import servers
from .report import show

from peers import dns, emergency, nginx  # from tests/peers, which servers put in the path

TARGET_MS = 300
SITE = "https://www.customer.example"


def run(options):
    rounds = options.rounds
    servers.install("npm", "tests/peers")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="flowlet-bench-")))
        internet = stack.enter_context(emergency.Stage(folder))
        site = stack.enter_context(nginx.Site(folder, internet.authority))
        name_servers = [stack.enter_context(dns.NameServer(folder, f"ns{n}", f"127.0.0.{n}")) for n in (1, 2)]
        settings = emergency.scanned(site, name_servers)
        settings["endpoints"] = [{"url": f"{SITE}/{page}"} for page in ("", "load.txt", "memory.txt")]
        server = emergency.live(folder, internet, settings, options=site.resolve_options())
        stack.callback(server.stop)
        taken = [press(server, n) for n in range(rounds + 1)][1:]  # the first one warms the peers up
        pages, mails = len(internet.pager.incidents), len(internet.mailbox.mails)
    if pages != rounds + 1 or mails < rounds + 1:
        raise SystemExit(f"bench: {rounds + 1} presses made {pages} incidents and {mails} mails")
    figures = {"answer_ms": round(median(taken), 1), "slowest_ms": round(max(taken), 1)}
    show("button", {"flowlet": figures}, options.json, f"ms to the answer, median of {rounds} presses",
         [("the button's answer", figures["answer_ms"], TARGET_MS)])


def press(server, n):
    began = time.monotonic()
    answer = server.press(emergency.BUTTON_PASSWORD, site=f"site-{n}", message="Checkout is down")
    taken = (time.monotonic() - began) * 1000
    if answer.status != 200:
        raise SystemExit(f"bench: the button answered {answer.status}: {answer.text[:300]}")
    return taken
