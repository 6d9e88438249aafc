"""All the services together, each at its own name, and what makes a server under test reach them."""
from contextlib import ExitStack
from pathlib import Path

from .certificates import Authority
from .nginx import TlsFront
from .pagerduty import PagerDuty, Prism
from .services import Slack, Telegram, Tracker, Twilio
from .smtp import Smtp


class Internet:
    """pager, slack, twilio, telegram and tracker behind one TLS front; mailbox at smtp.mailgun.org."""

    def __init__(self, folder: Path, authority: Authority, prism: Prism):
        self.authority = authority
        self.pager, self.slack, self.twilio = PagerDuty(prism), Slack(), Twilio()
        self.telegram, self.tracker = Telegram(), Tracker()
        self.mailbox = Smtp(authority)
        self.front = TlsFront(folder, authority, {
            "api.pagerduty.com": self.pager.port, "hooks.slack.com": self.slack.port, "api.twilio.com": self.twilio.port,
            "api.telegram.org": self.telegram.port, "api.github.com": self.tracker.port})

    def __enter__(self):
        with ExitStack() as stack:
            for peer in (self.pager, self.slack, self.twilio, self.telegram, self.tracker, self.mailbox, self.front):
                stack.enter_context(peer)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self._stack.close()

    @property
    def options(self):
        """For `flowlet serve`: TLS is verified as always, against our own authority."""
        return ["--allow-address", "127.0.0.0/8", "--ca-file", str(self.authority.file),
                *self.front.resolve_options(), *self.mailbox.resolve_options()]
