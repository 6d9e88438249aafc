"""The peers as fixtures: Prism once for all tests, the others anew for each test that asks."""
import pytest

from peers import dns, nginx, pagerduty, services, smtp
from peers.certificates import Authority


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def prism(tmp_path_factory):
    with pagerduty.Prism(tmp_path_factory.mktemp("prism")) as peer:
        yield peer


@pytest.fixture
def pager(prism):
    with pagerduty.PagerDuty(prism) as peer:
        yield peer


@pytest.fixture
def slack():
    with services.Slack() as peer:
        yield peer


@pytest.fixture
def twilio():
    with services.Twilio() as peer:
        yield peer


@pytest.fixture
def telegram():
    with services.Telegram() as peer:
        yield peer


@pytest.fixture
def tracker():
    with services.Tracker() as peer:
        yield peer


@pytest.fixture
def front(tmp_path, authority, pager, slack, twilio, telegram, tracker):
    """All services at their own names behind TLS."""
    with nginx.TlsFront(tmp_path, authority, {
            "api.pagerduty.com": pager.port, "hooks.slack.com": slack.port, "api.twilio.com": twilio.port,
            "api.telegram.org": telegram.port, "api.github.com": tracker.port}) as peer:
        yield peer


@pytest.fixture
def mailbox(authority):
    with smtp.Smtp(authority) as peer:
        yield peer


@pytest.fixture
def name_servers(tmp_path):
    with dns.NameServer(tmp_path, "ns1", "127.0.0.1") as first, dns.NameServer(tmp_path, "ns2", "127.0.0.2") as second:
        yield first, second


@pytest.fixture
def site(tmp_path, authority):
    with nginx.Site(tmp_path, authority) as peer:
        yield peer
