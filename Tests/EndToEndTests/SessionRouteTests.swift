import FoundationEssentials
import ProcessControl
import TestSupport
import Testing

@testable import InfraBench
@testable import Results

/// How bench-e2e finds out whether a gateway has a user's side, and that it takes nothing for that.
@Suite(.serialized, .timeLimit(.minutes(2))) struct SessionRouteTests {
  private static let options = ["--count", "2", "--no-default-thresholds", "--allow-saturated", "--timeout", "10s"]

  /// A gateway in plain Node, which checks no user id; it prints a line for each task that it hands out.
  private static let node = """
    const http = require('http'), crypto = require('crypto');
    process.stdin.on('end', () => process.exit(0)).resume();
    const frame = text => Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)]);
    let tasks = 0;
    const server = http.createServer((request, response) => {
      const isStatus = request.url === '/api/status';
      response.writeHead(isStatus ? 200 : 404, {'Content-Type': 'application/json'});
      response.end(isStatus ? '{"warmCount": 5, "assignedCount": 0}' : '{}');
    });
    server.on('upgrade', (request, socket) => {
      socket.on('error', () => {});
      if (!/^\\/session\\/[^\\/]+$/.test(request.url)) return socket.destroy();
      const key = request.headers['sec-websocket-key'];
      if (!key) return socket.end('HTTP/1.1 400 Bad Request\\r\\nConnection: close\\r\\nContent-Length: 0\\r\\n\\r\\n');
      const accept = crypto.createHash('sha1').update(key + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
      socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n' +
        'Sec-WebSocket-Accept: ' + accept + '\\r\\n\\r\\n');
      console.log('task ' + (++tasks));
      socket.write(frame(JSON.stringify({type: 'session_ready', taskId: 't' + tasks, source: 'warm'})));
      socket.on('data', data => {
        if ((data[0] & 15) === 8) return socket.end(Buffer.from([0x88, 0]));
        if ((data[0] & 15) !== 1) return;
        const length = data[1] & 127, mask = data.subarray(2, 6);
        const text = Buffer.from(data.subarray(6, 6 + length).map((byte, index) => byte ^ mask[index % 4]));
        socket.write(frame('echo: ' + text));
      });
    });
    server.listen(0, '127.0.0.1', () => console.log(server.address().port));
    """

  private static let hasNode = ["/usr/bin/node", "/usr/local/bin/node"].first(
    where: FileManager.default.isExecutableFile)

  @Test(.enabled(if: hasNode != nil, "needs Node in /usr/bin or /usr/local/bin"))
  func theProbeTakesNoTaskOfAGatewayThatChecksNoUserID() async throws {
    let server = try await ForeignProgram.start(try #require(Self.hasNode), ["-e", Self.node])
    let result = try await BenchRun.run(
      "bench-e2e", ["--gateway-url", "http://127.0.0.1:\(server.port)"] + Self.options)
    let printed = await server.end()
    let document = try result.document()
    #expect(document.metrics["end_to_end"]?.count == 2, "\(document.errors)")
    #expect(document.findings?["route"] == .string("session"))
    #expect(printed.split(separator: "\n").count { $0.hasPrefix("task ") } == 2, "\(printed)")
  }

  /// A gateway in plain Python that answers every path it doesn't know with a page, or with the way to one.
  private static let python = """
    import http.server, sys, threading

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'

        def answer(self, status, text, **fields):
            self.send_response(status)
            for name, value in {'Content-Length': len(text), **fields}.items():
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(text.encode())

        def do_GET(self):
            if self.path == '/api/status':
                self.answer(200, '{"warmCount": 1, "assignedCount": 1, "tasks": '
                            '[{"taskId": "t", "state": "assigned", "userId": "u"}]}')
            elif sys.argv[1] == 'page':
                self.answer(200, '<html>welcome</html>')
            else:
                self.answer(302, '', Location='/login')

        def do_POST(self):
            self.rfile.read(int(self.headers['Content-Length']))
            self.answer(200, '{"success": true, "taskId": "t", "source": "warm"}')

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
    """

  @Test(
    .enabled(if: Python.canImport("http.server"), "needs Python; INFRABENCH_PYTHON names an interpreter"),
    arguments: ["page", "way"])
  func aServerThatHasAPageForEveryPathHasNoUsersSide(kind: String) async throws {
    let server = try await ForeignProgram.start(Python.interpreter, ["-c", Self.python, kind])
    let result = try await BenchRun.run(
      "bench-e2e", ["--gateway-url", "http://127.0.0.1:\(server.port)"] + Self.options)
    _ = await server.end()
    let document = try result.document()
    #expect(document.findings?["route"] == .string("status"), "\(result.talk)")
    #expect(document.counters["errors"] == 0 && document.metrics["ready"]?.count == 2, "\(document.errors)")
  }

  @Test(arguments: ["", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"])
  func aGatewayThatClosesAnUnknownUpgradeHasNoUsersSide(answer: String) async throws {
    let gateway = try await ScriptedGateway { request in
      switch request.line {
      case "GET /api/status":
        .json(
          #"{"warmCount": 1, "assignedCount": 1, "tasks": [{"taskId": "t", "state": "assigned", "userId": "u"}]}"#)
      case "POST /api/acquire": .json(#"{"success": true, "taskId": "t", "source": "warm"}"#)
      case "POST /api/release": .json(#"{"success": true}"#)
      default: .last(answer)
      }
    }
    let result = try await BenchRun.run("bench-e2e", ["--gateway-url", gateway.url] + Self.options)
    await gateway.stop()
    let document = try result.document()
    #expect(document.findings?["route"] == .string("status"))
    #expect(document.counters["errors"] == 0 && document.metrics["ready"]?.count == 2, "\(document.errors)")
    #expect(!gateway.requests.contains { $0.head.lowercased().contains("sec-websocket-key") }, "a probe is no session")
  }
}
