"""Stand-ins for the other channels; each answers and refuses in its service's own words."""
import itertools

from .http_peer import Answer, HttpPeer


class Slack(HttpPeer):
    """hooks.slack.com: plain words, never JSON."""

    def act(self, call):
        def said(status, word):
            return Answer(status, {"Content-Type": "text/html"}, word)
        if call.method != "POST" or not call.path.startswith("/services/T"):
            return said(404, b"no_service")
        try:
            return said(200, b"ok") if call.json.get("text") else said(400, b"no_text")
        except ValueError:
            return said(400, b"invalid_payload")


class Twilio(HttpPeer):
    """api.twilio.com: a form with basic auth in, JSON out."""

    def act(self, call):
        def refused(status, code, message):
            return Answer.of_json(status, {"code": code, "message": message, "status": status,
                                           "more_info": f"https://www.twilio.com/docs/errors/{code}"})
        if not call.headers.get("authorization", "").startswith("Basic "):
            return refused(401, 20003, "Authenticate")
        form = call.form
        if not form.get("To", "").startswith("+"):
            return refused(400, 21211, f"Invalid 'To' Phone Number: {form.get('To')}")
        if not form.get("Body") or len(form["Body"]) > 1600:
            return refused(400, 21602, "Message body is required, 1600 characters at most")
        if not (form.get("From") or form.get("MessagingServiceSid")):
            return refused(400, 21603, "A 'From' phone number is required")
        return Answer.of_json(201, {"sid": "SM" + "0" * 32, "status": "queued", "error_code": None, "to": form["To"]})


class Telegram(HttpPeer):
    """api.telegram.org: the token is in the path."""

    def act(self, call):
        if not call.path.startswith("/bot") or not call.path.endswith("/sendMessage"):
            return Answer.of_json(404, {"ok": False, "error_code": 404, "description": "Not Found"})
        given = call.json
        if not given.get("chat_id") or not given.get("text"):
            return Answer.of_json(400, {"ok": False, "error_code": 400, "description": "Bad Request: message text is empty"})
        return Answer.of_json(200, {"ok": True, "result": {"message_id": len(self.calls), "text": given["text"]}})


class Tracker(HttpPeer):
    """A ticket tracker with the way of api.github.com: POST /repos/OWNER/REPO/issues."""

    def __init__(self):
        super().__init__()
        self._numbers = itertools.count(1)

    def act(self, call):
        if not call.headers.get("authorization"):
            return Answer.of_json(401, {"message": "Requires authentication"})
        if call.method == "POST" and not call.json.get("title"):
            return Answer.of_json(422, {"message": "Validation Failed"})
        return Answer.of_json(201, {"number": next(self._numbers), "html_url": "https://github.com/o/r/issues/1", "state": "open"})
