"""What the outside sends to Flowlet: PagerDuty's signed webhooks and NodePing's notifications."""
import hashlib
import hmac
import json
import urllib.parse
import uuid
from typing import NamedTuple

# By what stands for PagerDuty's v3 webhooks: HMAC-SHA256 of the raw body, the secret's characters as the key.
SECRET = "dGVzdC1zZWNyZXQtb2YtdGhlLXRlc3RzLW9ubHk="


class Delivery(NamedTuple):
    method: str
    headers: dict
    body: bytes
    query: str = ""


def sign(body: bytes, *secrets):
    return ",".join("v1=" + hmac.new(s.encode(), body, hashlib.sha256).hexdigest() for s in secrets)


def pagerduty(event_type="incident.acknowledged", key="emergency-response/default", secret=SECRET, event_id=None,
              agent="Ada Lovelace", signature=None, webhook_id=None, title="Größere Störung — shop is down") -> Delivery:
    """One event about the incident with that key, or a ping; agent None is how an integration's event comes."""
    event_id = event_id or uuid.uuid4().hex[:26].upper()
    reference = agent and {"id": "PUSER01", "type": "user_reference", "summary": agent, "html_url": None, "self": None}
    event = {"id": event_id, "event_type": event_type, "resource_type": "incident", "occurred_at": "2026-01-02T03:04:05.678Z",
             "agent": reference, "client": None, "data": _incident(event_type.split(".")[1], key, title)}
    if event_type == "pagey.ping":
        event |= {"resource_type": "pagey", "agent": None, "data": {"message": "Hello from your friend Pagey!", "type": "ping"}}
    body = json.dumps({"event": event}, ensure_ascii=False).encode()
    return Delivery("POST", {
        "Content-Type": "application/json", "Accept": "application/json", "User-Agent": "PagerDuty-Webhook/V3.0",
        "X-PagerDuty-Signature": signature or sign(body, secret), "X-Webhook-Id": webhook_id or str(uuid.uuid4()),
        "X-Webhook-Subscription": "PSUBSCR"}, body)


def tampered(delivery: Delivery) -> Delivery:
    """The same headers over a body in which one letter differs."""
    return delivery._replace(body=delivery.body.replace(b"incident", b"incidenT", 1))


def nodeping(how, event="down", check="201205050153W2Q4C-0J2HSIRF", label="Shop, front page", target="https://www.customer.example/",
             message="Timeout", secret=None, start=None) -> Delivery:
    """NodePing's webhook by a template with all of its useful fields; how is "get", "form" or "json". Every value is text."""
    fields = {"id": check, "event": event, "label": label, "target": target, "type": "HTTP", "runtime": "5003", "code": "0"}
    if event == "down":
        fields["message"] = message
    if secret:
        fields["secret"] = secret
    if start:
        fields["start"] = start
    if how == "get":
        return Delivery("GET", {}, b"", "?" + urllib.parse.urlencode(fields))
    if how == "form":
        return Delivery("POST", {"Content-Type": "application/x-www-form-urlencoded"}, urllib.parse.urlencode(fields).encode())
    return Delivery("POST", {"Content-Type": "application/json"}, json.dumps(fields).encode())


def _incident(status, key, title):
    def reference(kind, ident, summary):
        return {"id": ident, "type": f"{kind}_reference", "summary": summary, "self": f"https://api.pagerduty.com/{kind}s/{ident}",
                "html_url": f"https://example.pagerduty.com/{kind}s/{ident}"}
    return {"id": "PINC0001", "type": "incident", "self": "https://api.pagerduty.com/incidents/PINC0001",
            "html_url": "https://example.pagerduty.com/incidents/PINC0001", "number": 1,
            "status": status if status in ("acknowledged", "resolved") else "triggered", "incident_key": key,
            "created_at": "2026-01-02T03:00:00Z", "title": title, "urgency": "high",
            "service": reference("service", "PSERV01", "Shop"), "escalation_policy": reference("escalation_policy", "PESC001", "Default"),
            "assignees": [] if status == "resolved" else [reference("user", "PUSER01", "Ada Lovelace")],
            "teams": [], "priority": None, "conference_bridge": None, "resolve_reason": None,
            "incident_type": {"name": "incident_default"}}
