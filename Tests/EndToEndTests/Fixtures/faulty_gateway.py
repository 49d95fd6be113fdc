"""A gateway on loopback that goes wrong as its script says, and keeps books of its own.

Standard library alone, and nothing of the suite: what its books say is the other side's word. The script is a JSON object
(FaultyGateway.Script), the first argument. On standard output, a JSON object a line: `ready` with the port; `asked` at the
first request; at SIGTERM the books. Instants are this process's own monotonic clock; a service time runs from the moment
the whole request has been read to the moment before its answer is written, so that no client can see less.
"""

import asyncio
import base64
import hashlib
import json
import random
import signal
import socket
import struct
import sys
import time

SCRIPT = json.loads(sys.argv[1])
CHANCE = random.Random(SCRIPT["seed"])
WARM = 100_000


def say(event, **values):
    print(json.dumps({"event": event, **values}), flush=True)


class Books:
    """What was asked and answered."""

    def __init__(self):
        self.connections = 0
        self.acquires = 0
        self.warm, self.cold = [], []
        # Answers other than a task, by what they were; "none" is no answer at all, "lost" one whose asker had gone.
        self.others = {}
        self.releases = 0
        self.assigned = set()
        self.tasks = 0
        self.asked_at = None
        self.first_acquire_at = None
        self.last_answer_at = None

    def other(self, kind):
        self.others[kind] = self.others.get(kind, 0) + 1
        if kind in ("http", "miss", "invalid"):
            self.last_answer_at = time.monotonic_ns()

    def assign(self, received_at, is_cold):
        """The books' entry of a task, before its answer is written."""
        now = time.monotonic_ns()
        (self.cold if is_cold else self.warm).append(now - received_at)
        self.last_answer_at = now

    def report(self):
        def summary(times):
            times = sorted(times)
            if not times:
                return None
            count = len(times)
            # The smallest value such that at least p of them are not above it.
            at = lambda permille: times[max(0, -(-permille * count // 1000) - 1)] / 1e6
            return {"count": count, "min": times[0] / 1e6, "p50": at(500), "p90": at(900), "p99": at(990),
                    "max": times[-1] / 1e6}

        silent_since = None
        if self.first_acquire_at is not None:
            silent_since = ((self.last_answer_at or self.first_acquire_at) - self.first_acquire_at) / 1e6
        say("books", connections=self.connections, acquires=self.acquires, warm=summary(self.warm),
            cold=summary(self.cold), all=summary(self.warm + self.cold), others=self.others, releases=self.releases,
            stillAssigned=len(self.assigned), lastAnswerMs=silent_since)


BOOKS = Books()


def elapsed():
    return (time.monotonic_ns() - (BOOKS.first_acquire_at or time.monotonic_ns())) / 1e6


def fault():
    """What goes wrong with the acquire that comes now; None if nothing does."""
    chosen = SCRIPT.get("fault")
    if not chosen or elapsed() < chosen["fromMs"] or CHANCE.random() >= chosen["share"]:
        return None
    return chosen["kind"]


class Stall:
    """The whole process stands still once."""
    done = False

    @classmethod
    def look(cls):
        chosen = SCRIPT.get("fault")
        if chosen and chosen["kind"] == "stall" and not cls.done and elapsed() >= chosen["fromMs"]:
            cls.done = True
            time.sleep(chosen["lengthMs"] / 1000)


class Connection(asyncio.Protocol):
    def connection_made(self, transport):
        BOOKS.connections += 1
        self.transport = transport
        self.buffer = b""
        self.is_session = False
        self.is_gone = False
        self.task = None
        self.greeted_at = 0

    def connection_lost(self, error):
        self.is_gone = True
        # A session's task goes back with its user.
        if self.is_session and self.task:
            BOOKS.assigned.discard(self.task)

    def data_received(self, data):
        at = time.monotonic_ns()
        self.buffer += data
        if BOOKS.asked_at is None:
            BOOKS.asked_at = at
            say("asked")
        try:
            while self.next_frame(at) if self.is_session else self.next_request(at):
                pass
        except Exception as error:  # noqa: BLE001: a mistake of the client's, or of this program's: the books say it.
            BOOKS.other("nonsense")
            print(repr(error), file=sys.stderr, flush=True)
            self.transport.abort()

    # REST

    def next_request(self, at):
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return False
        lines = head.decode().split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        length = int(fields.get("content-length", 0))
        if len(rest) < length:
            return False
        body, self.buffer = rest[:length], rest[length:]
        method, path, _ = lines[0].split(" ")
        if (method, path) == ("POST", "/api/acquire"):
            self.acquire(at, json.loads(body))
        elif fault_of_everything() == "mute":
            pass
        elif (method, path) == ("GET", "/api/status"):
            self.answer({"warmCount": WARM, "assignedCount": len(BOOKS.assigned)})
        elif (method, path) == ("POST", "/api/release"):
            self.release(json.loads(body))
        elif path.startswith("/session/."):
            self.answer({"error": "no user id"}, 400)
        elif path.startswith("/session/"):
            self.session(at, fields["sec-websocket-key"])
        else:
            self.answer({"error": "no such path"}, 404)
        return True

    def answer(self, body, status=200):
        text = json.dumps(body).encode()
        self.write(b"HTTP/1.1 %d Status\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                   % (status, len(text), text))

    def write(self, data):
        if not self.is_gone:
            self.transport.write(data)

    def later(self, milliseconds, work):
        asyncio.get_running_loop().call_later(milliseconds / 1000, work)

    def begin(self, at):
        """Counts an acquire, or a session; what goes wrong with it."""
        BOOKS.acquires += 1
        if BOOKS.first_acquire_at is None:
            BOOKS.first_acquire_at = at
        Stall.look()
        return fault()

    def delay(self, kind):
        chosen = SCRIPT.get("fault") or {}
        if kind in ("slow", "late"):
            return chosen["lengthMs"]
        if kind == "deaf":
            return max(0, chosen["fromMs"] + chosen["lengthMs"] - elapsed())
        return SCRIPT["delayMs"]

    def acquire(self, at, request):
        kind = self.begin(at)
        is_cold = CHANCE.random() < SCRIPT["coldShare"]
        assert request["userId"]
        self.later(self.delay(kind), lambda: self.finish(at, kind, is_cold))

    def finish(self, at, kind, is_cold):
        if self.is_gone or self.transport.is_closing():
            return BOOKS.other("lost")
        if self.go_wrong(kind):
            return
        if kind == "miss":
            BOOKS.other("miss")
            return self.answer({"success": False, "error": "No warm tasks available", "warmCount": 0})
        if kind == "invalid":
            BOOKS.other("invalid")
            return self.write(b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"taskId\": ")
        if kind == "truncated":
            BOOKS.other("closed")
            self.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"taskId\": ")
            return self.transport.close()
        task = self.new_task()
        body = {"taskId": task, "success": True, "latency": 1}
        if SCRIPT["saysSource"]:
            body["source"] = "cold" if is_cold else "warm"
        BOOKS.assign(at, is_cold)
        self.answer(body)

    def new_task(self):
        BOOKS.tasks += 1
        task = "task-%d" % BOOKS.tasks
        BOOKS.assigned.add(task)
        return task

    def go_wrong(self, kind):
        """Faults that REST and sessions have in common; whether this is one."""
        if kind == "mute":
            BOOKS.other("none")
        elif kind == "http":
            BOOKS.other("http")
            self.answer({"error": "not today"}, 503)
        elif kind == "close":
            BOOKS.other("closed")
            self.transport.close()
        elif kind == "reset":
            BOOKS.other("closed")
            self.transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()
        else:
            return False
        return True

    def release(self, request):
        BOOKS.releases += 1
        kind = SCRIPT["release"]
        if kind != "works" and CHANCE.random() < SCRIPT["releaseShare"]:
            if kind == "refused":
                self.answer({"error": "not now"}, 503)
            elif kind == "missing":
                self.answer({"error": "no such path"}, 404)
            return
        BOOKS.assigned.discard(request["taskId"])
        self.answer({"success": True, "taskId": request["taskId"]})

    # Sessions (RFC 6455)

    def session(self, at, key):
        kind = self.begin(at)
        self.is_cold = CHANCE.random() < SCRIPT["coldShare"]
        if kind in ("mute", "http", "close", "reset"):
            return self.later(
                self.delay(kind), lambda: BOOKS.other("lost") if self.is_gone else self.go_wrong(kind))
        accept = base64.b64encode(
            hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        self.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   b"Sec-WebSocket-Accept: %s\r\n\r\n" % accept)
        self.is_session = True
        self.greeted_at = at
        self.later(self.delay(kind) / 2, lambda: self.greet(kind))
        self.answer_delay = self.delay(kind) / 2

    def greet(self, kind):
        if self.is_gone:
            return BOOKS.other("lost")
        if kind == "miss":
            BOOKS.other("miss")
            return self.text(json.dumps({"type": "error", "error": {"message": "empty", "code": "NO_WARM_TASK"}}))
        if kind == "invalid":
            BOOKS.other("invalid")
            return self.text('{"type": ')
        if kind == "truncated":
            BOOKS.other("closed")
            self.write(b"\x81\x40session")
            return self.transport.close()
        self.task = self.new_task()
        ready = {"type": "session_ready", "taskId": self.task, "breakdown": {"process_start_ms": 2}}
        if SCRIPT["saysSource"]:
            ready["source"] = "cold" if self.is_cold else "warm"
        self.text(json.dumps(ready))

    def text(self, text):
        self.frame(0x81, text.encode())

    def frame(self, first, payload):
        assert len(payload) < 65536
        short = len(payload) < 126
        self.write(bytes([first, len(payload) if short else 126])
                   + (b"" if short else struct.pack("!H", len(payload))) + payload)

    def next_frame(self, at):
        if len(self.buffer) < 6:
            return False
        length, start = self.buffer[1] & 0x7F, 2
        assert self.buffer[1] & 0x80 and length < 126
        if len(self.buffer) < start + 4 + length:
            return False
        mask = self.buffer[start:start + 4]
        payload = bytes(byte ^ mask[index % 4] for index, byte in enumerate(self.buffer[start + 4:start + 4 + length]))
        opcode, self.buffer = self.buffer[0] & 0x0F, self.buffer[start + 4 + length:]
        if opcode == 1:
            self.later(self.answer_delay, lambda: self.echo(payload))
        elif opcode == 8:
            self.frame(0x88, payload)
            self.transport.close()
        elif opcode == 9:
            self.frame(0x8A, payload)
        return True

    def echo(self, payload):
        if self.is_gone or self.transport.is_closing():
            return BOOKS.other("lost")
        BOOKS.assign(self.greeted_at, self.is_cold)
        self.text("echo: " + payload.decode())


def fault_of_everything():
    """`mute` where from some moment on nothing at all is answered."""
    chosen = SCRIPT.get("fault")
    return "mute" if chosen and chosen["kind"] == "mute" and chosen["share"] == 1 and elapsed() >= chosen["fromMs"] \
        and (BOOKS.first_acquire_at is not None or chosen["fromMs"] == 0) and chosen["isOfEverything"] else None


async def serve():
    loop = asyncio.get_running_loop()
    places = SCRIPT.get("places")
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0 if places else 512)
    listener.setblocking(False)
    over = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, over.set)

    async def accept():
        count = 0
        while not places or count < places:
            connection, _ = await loop.sock_accept(listener)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.connect_accepted_socket(Connection, connection)
            count += 1
        if SCRIPT["refusesBeyond"]:
            listener.close()

    accepting = asyncio.ensure_future(accept())
    say("ready", port=listener.getsockname()[1])
    await over.wait()
    # The ends of connections that came before the signal are read first.
    await asyncio.sleep(0.05)
    accepting.cancel()
    BOOKS.report()


asyncio.run(serve())
