"""A minimal service behind the proxy. Replace `answer`; the rest is what Kubernetes needs: health check and graceful shutdown."""

import json
import os
import signal
import socket
import socketserver
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler

PORT = int(os.environ.get("PORT", "8080"))
VERSION = os.environ.get("VERSION", "dev")
POD = os.environ.get("HOSTNAME", "")
ending = threading.Event()


def answer(method, path):
    """The response body. The path comes without the route's prefix."""
    return {"service": "new-service", "version": VERSION, "pod": POD, "method": method, "path": path}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Let the proxy close idle connections first: otherwise its next request can meet a closed one. nginx closes them
    # after 60 s (https://nginx.org/r/upstream/keepalive_timeout).
    timeout = 75
    wbufsize = -1  # Send headers and body together: apart, the body waits for the client's delayed acknowledgement.

    def respond(self):
        began = time.monotonic()
        self.discard_body()
        health = self.path == "/healthz"  # Kubernetes' probes: answer 200 if this pod can take requests.
        path = self.path.split("?")[0]
        text = "ok\n" if health else json.dumps(answer(self.command, path), indent=2) + "\n"
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain" if health else "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        if ending.is_set():
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()
        if not health:
            milliseconds = round((time.monotonic() - began) * 1000, 1)
            # Without the query, which may contain secrets.
            line = {"method": self.command, "path": path, "status": 200, "milliseconds": milliseconds}
            print(json.dumps(line), flush=True)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = respond

    def discard_body(self):
        """Reads the body, so that the next request on this connection begins where this one ends."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            self.discard(int(self.headers.get("Content-Length", "0")))
            return
        while size := int(self.rfile.readline().split(b";")[0], 16):
            self.discard(size + 2)  # with the line's end
        while self.rfile.readline().strip():  # trailers
            pass

    def discard(self, size):
        while size > 0:
            part = self.rfile.read(min(size, 65536))
            if not part:
                raise ConnectionError("the client closed the connection within a body")
            size -= len(part)

    def handle_one_request(self):
        self.server.idle.add(self.connection)
        if ending.is_set():
            self.server.end_idle(self.connection)
        super().handle_one_request()

    def parse_request(self):
        self.server.idle.discard(self.connection)
        return super().parse_request()

    def finish(self):
        self.server.idle.discard(self.connection)
        super().finish()

    def log_message(self, format, *args):
        pass  # `respond` writes the log.


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, port):
        self.idle = set()  # connections that wait for a request
        super().__init__(("", port), Handler)

    def handle_error(self, request, client_address):
        if not isinstance(sys.exception(), ConnectionError):  # The client hung up.
            super().handle_error(request, client_address)

    def end_idle(self, connection):
        """Ends a wait for a request. One that has arrived already is still read and answered."""
        try:
            connection.shutdown(socket.SHUT_RD)
        except OSError:
            pass  # The client was faster.


signals = {signal.SIGTERM, signal.SIGINT}
signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # They wait for sigwait below, in every thread.
server = Server(PORT)
threading.Thread(target=server.serve_forever).start()
signal.sigwait(signals)

# Finish the requests in progress. No new ones arrive by the time of SIGTERM, because the pod's preStop hook has waited.
ending.set()
server.shutdown()
for idle in list(server.idle):
    server.end_idle(idle)
server.server_close()  # waits for the requests
