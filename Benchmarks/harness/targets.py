"""What load is sent to: nginx, the server with known delays, the embedded gateway."""

import contextlib
import http.client
import json
import os
import socket
import subprocess
import tempfile
import time
import urllib.parse

import processes

NGINX = """
daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log crit;
events {{ worker_connections 16000; multi_accept on; }}
http {{
  access_log off; default_type application/json; keepalive_requests 1000000000; keepalive_timeout 600s;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    {secure}
    location = /api/acquire {{
      return 200 '{{"success":true,"taskId":"$request_id","source":"warm","latency":0.1}}';
    }}
    location = /api/release {{ return 200 '{{"success":true}}'; }}
    location = /api/status {{ return 200 '{{"warmCount":100000,"assignedCount":0}}'; }}
    location = /served {{ stub_status; }}
  }}
}}
"""


# A second port, over TLS.
SECURE = """listen 127.0.0.1:{port} ssl backlog=4096;
    ssl_certificate {folder}/certificate.pem; ssl_certificate_key {folder}/key.pem; ssl_protocols TLSv1.3;"""


class Nginx:
    """A web server with one worker, which also counts: one yardstick for every generator."""

    def __init__(self, port, secure_port=None):
        self.url = f"http://127.0.0.1:{port}"
        self.secure_url = f"https://127.0.0.1:{secure_port}" if secure_port else None
        self._port = port

    def served(self):
        """Requests so far, this question among them."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            connection.request("GET", "/served")
            return int(connection.getresponse().read().split()[9])
        finally:
            connection.close()


@contextlib.contextmanager
def nginx(program, core, is_secure=False):
    port, secure_port = _free_port(), _free_port() if is_secure else None
    with tempfile.TemporaryDirectory(prefix="infrabench-nginx-") as folder:
        configuration = os.path.join(folder, "nginx.conf")
        with open(configuration, "w") as file:
            secure = SECURE.format(folder=folder, port=secure_port) if is_secure else ""
            file.write(NGINX.format(folder=folder, port=port, secure=secure))
        if is_secure:
            _make_certificate(folder)
        process = processes.start(
            [program, "-p", folder, "-c", configuration, "-e", f"{folder}/start.log"], core)
        try:
            server = Nginx(port, secure_port)
            _until_it_serves(server, process, folder)
            yield server
        finally:
            processes.end(process)


def _make_certificate(folder):
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
            "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{folder}/key.pem", "-out",
            f"{folder}/certificate.pem",
        ], check=True, capture_output=True)


def _until_it_serves(server, process, folder):
    for _ in range(100):
        try:
            server.served()
            return
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.05)
    with open(f"{folder}/start.log") as log:
        raise RuntimeError(f"nginx does not serve: {log.read().strip()[:200]}")


class KnownDelay:
    """known-delay-server; `report` is its own word, and is there when it has ended."""

    def __init__(self, url):
        self.url = url
        self.report = None


@contextlib.contextmanager
def known_delay(programs, core, options):
    process, url = _program_with_lifeline([f"{programs}/known-delay-server", "--lifeline", *options], core)
    server = KnownDelay(url)
    try:
        yield server
        process.stdin.close()
        server.report = json.loads(process.stdout.readline())
        process.wait(10)
    finally:
        processes.end(process)


@contextlib.contextmanager
def mock_gateway(programs, core, options):
    process, url = _program_with_lifeline(
        [f"{programs}/mock-gateway", "--port", "0", "--lifeline", *options], core)
    try:
        yield url
        process.stdin.close()
        process.wait(20)
    finally:
        processes.end(process)


def warm_count(url):
    """How many warm tasks a gateway has."""
    address = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
    try:
        connection.request("GET", "/health")
        return json.loads(connection.getresponse().read())["warmCount"]
    finally:
        connection.close()


def _program_with_lifeline(command, core):
    """Starts a program that says in a JSON line where it serves and ends with its standard input."""
    process = processes.start(command, core, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    line = process.stdout.readline()
    if not line:
        processes.end(process)
        raise RuntimeError(f"{command[0]} did not start: exit {process.returncode}")
    return process, json.loads(line)["gatewayUrl"]


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
