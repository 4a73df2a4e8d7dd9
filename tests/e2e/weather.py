# SPDX-License-Identifier: Apache-2.0
"""A collateral service in bad weather: a proxy before the simulator's, with faults where a test wants them."""

import http.client
import http.server
import socket
import struct
import threading
import urllib.parse

ITEMS = {"tcb": "/tdx/certification/v4/tcb", "qe": "/tdx/certification/v4/qe/identity",
         "pckcrl": "/sgx/certification/v4/pckcrl", "rootcrl": "/sgx/certification/v4/rootcacrl"}
OVERSIZED = 3 << 20


def chain_of(headers):
    return next((k for k in headers if k.lower().endswith("issuer-chain")), None)


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def fetch(self):
        at = urllib.parse.urlsplit(self.server.weather.upstream)
        upstream = http.client.HTTPConnection(at.hostname, at.port, timeout=60)
        upstream.request("GET", self.path)
        answer = upstream.getresponse()
        headers = {k: v for k, v in answer.getheaders() if k.lower() not in ("content-length", "connection", "date")}
        body = answer.read()
        upstream.close()
        return answer.status, headers, body

    def reply(self, status, headers, body, length=None):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        weather = self.server.weather
        item = next((name for name, path in ITEMS.items() if self.path.startswith(path)), None)
        with weather.lock:
            weather.requests[item] = weather.requests.get(item, 0) + 1
        weather.gate.wait(60)
        try:
            if weather.fault is not None and weather.at in (None, item):
                getattr(self, "fault_" + weather.fault)(*weather.arguments)
            else:
                self.reply(*self.fetch())
        except (BrokenPipeError, ConnectionResetError):
            pass  # who asked has had enough
        self.close_connection = True

    def wait_for_close(self):
        while self.connection.recv(1024):
            pass

    def fault_reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def fault_silent(self):
        self.wait_for_close()

    def fault_slow(self):
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"{")
        self.wait_for_close()

    def fault_status(self, status, **headers):
        self.reply(status, dict(headers), b"no")

    def fault_retry_after(self, status, wish):
        self.reply(status, {"Retry-After": wish}, b"")

    def fault_redirect(self, target):
        self.reply(302, {"Location": target}, b"")

    def fault_body(self, body):
        self.reply(200, self.fetch()[1], body)

    def fault_truncated(self):
        _, headers, body = self.fetch()
        self.reply(200, headers, body[:len(body) // 2], len(body))

    def fault_cut(self):
        _, headers, body = self.fetch()
        self.reply(200, headers, body[:len(body) // 2])

    def fault_chain(self, value):
        _, headers, body = self.fetch()
        name = chain_of(headers)
        if name is None:
            return self.reply(500, {}, b"")
        headers.pop(name)
        if value is not None:
            headers[name] = value
        return self.reply(200, headers, body)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        pass


class Weather:
    """fault is the name of a fault_ of the handler, with its arguments; at is the item that it strikes, or all."""

    def __init__(self, upstream):
        self.upstream, self.lock = upstream, threading.Lock()
        self.gate = threading.Event()
        self.gate.set()
        self.port, self._server = 0, None
        self.clear()
        self.start()

    def clear(self):
        self.fault, self.arguments, self.at, self.requests = None, (), None, {}

    def strike(self, fault, *arguments, at=None):
        self.fault, self.arguments, self.at = fault, arguments, at

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        self._server = Server(("127.0.0.1", self.port), Handler)
        self._server.weather = self
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def stop(self):
        """From now on connections are refused."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self._server = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.gate.set()
        self.stop()
