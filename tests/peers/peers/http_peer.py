"""A small HTTP server that keeps what it received and can misbehave on demand; TLS is nginx's job."""
import json
import threading
import time
import urllib.parse
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Answer(NamedTuple):
    status: int
    headers: dict
    body: bytes

    @staticmethod
    def of_json(status, value, **headers):
        return Answer(status, {"Content-Type": "application/json", **headers}, json.dumps(value).encode())


# Faults beside an Answer of one's own. CLOSED and SILENT come before anything is done, DROPPED after.
CLOSED = "closed: the connection ends without an answer"
SILENT = "silent: the connection stays open, nothing comes"
DROPPED = "dropped: it is done, then the connection ends without an answer"


@dataclass
class Call:
    method: str
    path: str
    query: dict
    headers: dict  # names in lower case
    body: bytes
    at: float = field(default_factory=time.monotonic)
    outcome: object = None  # the status that was answered, or the fault

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def form(self):
        return dict(urllib.parse.parse_qsl(self.body.decode(), keep_blank_values=True))


class HttpPeer:
    """Answers each call by act(call), which the kinds of peers define. fault_next() and fault_always() come first.
    calls holds everything, in the order of arrival; act() runs under `lock`-free threads, so kinds lock what they keep."""

    def __init__(self):
        self.calls = []
        self.lock = threading.Lock()
        self._next, self._always = [], None
        self._ended = threading.Event()
        peer = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self):
                peer._handle(self)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = handle_any

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_):
                pass  # a caller that went away is part of the tests

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]

    def __enter__(self):
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()

    def fault_next(self, *faults):
        """The next calls get these, one each; None lets one through."""
        with self.lock:
            self._next.extend(faults)

    def fault_always(self, fault):
        """Every call gets it; None ends that. A function (call) -> fault or None decides for each."""
        self._always = fault

    def act(self, call) -> Answer:
        raise NotImplementedError

    def _fault(self, call):
        with self.lock:
            if self._next:
                return self._next.pop(0)
        return self._always(call) if callable(self._always) else self._always

    def _handle(self, handler):
        url = urllib.parse.urlsplit(handler.path)
        length = int(handler.headers.get("Content-Length") or 0)
        call = Call(handler.command, url.path, dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True)),
                    {k.lower(): v for k, v in handler.headers.items()}, handler.rfile.read(length))
        with self.lock:
            self.calls.append(call)
        fault = self._fault(call)
        call.outcome = fault
        if fault == SILENT:
            self._ended.wait(120)
        answer = fault if isinstance(fault, Answer) else None
        if fault in (None, DROPPED):
            answer = self.act(call)
        handler.close_connection = True
        if answer is None or fault == DROPPED:
            return
        call.outcome = answer.status
        handler.send_response(answer.status)
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(answer.body)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(answer.body)
