"""The peers as fixtures: Prism and the certificate authority once, the others anew for each test that asks."""
import pytest

from peers import dns, nginx, pagerduty
from peers.certificates import Authority
from peers.internet import Internet


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def prism(tmp_path_factory):
    with pagerduty.Prism(tmp_path_factory.mktemp("prism")) as peer:
        yield peer


@pytest.fixture
def internet(tmp_path, authority, prism):
    with Internet(tmp_path, authority, prism) as services:
        yield services


@pytest.fixture
def pager(internet):
    return internet.pager


@pytest.fixture
def front(internet):
    return internet.front


@pytest.fixture
def mailbox(internet):
    return internet.mailbox


@pytest.fixture
def name_servers(tmp_path):
    with dns.NameServer(tmp_path, "ns1", "127.0.0.1") as first, dns.NameServer(tmp_path, "ns2", "127.0.0.2") as second:
        yield first, second


@pytest.fixture
def site(tmp_path, authority):
    with nginx.Site(tmp_path, authority) as peer:
        yield peer
