"""Real peers on loopback: what Flowlet talks to, started by the tests, telling afterwards what they received.

    with Authority(folder) as ca, Prism(folder) as prism, PagerDuty(prism) as pagerduty, \\
            TlsFront(folder, ca, {"api.pagerduty.com": pagerduty.port}) as front:
        ...                         # https://api.pagerduty.com is at 127.0.0.1:front.port
        pagerduty.calls[-1].json    # what came

Each is a context manager: entering returns when it answers, leaving ends it. All ports are free ones, all files
live in the folder given. certificates: our own CA. nginx: TLS front, customer's site. pagerduty: Prism and the mock
in front that remembers. services: Slack, Twilio, Telegram, GitHub. smtp, dns. deliveries: webhooks to send.
flowlet: the binary under test."""
