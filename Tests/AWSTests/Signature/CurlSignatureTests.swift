import AWSTestSupport
import Foundation
import Synchronization
import Testing

@testable import AWS

private enum CurlProgram {
  static let isAvailable: Bool = {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["curl", "--help", "all"]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    let help = (try? output.fileHandleForReading.readToEnd()) ?? Data()
    process.waitUntilExit()
    return String(decoding: help, as: UTF8.self).contains("--aws-sigv4")
  }()
}

/// The signer against the one of the curl program: a server takes down what curl sends, and we sign the same.
@Suite(.enabled(if: CurlProgram.isAvailable, "needs a curl program with --aws-sigv4"), .timeLimit(.minutes(1)))
struct CurlSignatureTests {
  static let key = AWSCredentials(
    accessKeyID: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", source: "test")

  struct Call: Sendable, CustomTestStringConvertible {
    var operation = "ListTasks"
    var path = "/"
    var body = "{}"
    var token: String?
    var region = "eu-west-1"
    var service = "ecs"
    var prefix = "AmazonEC2ContainerServiceV20141113"

    var testDescription: String { "\(service) \(region) \(operation) \(path) \(body.count)" }
  }

  /// Without queries, which curl before 8.4 does not sort.
  static let calls = [
    Call(), Call(token: "IQoJb3JpZ2luX2Vj/+AB=="),
    Call(operation: "DescribeTasks", body: #"{"tasks":["ä","\u00e9 x"]}"#),
    Call(operation: "RunTask", body: String(repeating: "x", count: 5_000)), Call(path: "/base/path"),
    Call(region: "cn-north-1"), Call(operation: "GetLogEvents", service: "logs", prefix: "Logs_20140328"),
  ]

  private static func send(_ call: Call, to url: String) async throws -> Int32 {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    var arguments = [
      "curl", "--silent", "--noproxy", "*", "--aws-sigv4", "aws:amz:\(call.region):\(call.service)",
      "--user", "\(key.accessKeyID):\(key.secretAccessKey)", "--header", "Content-Type: application/x-amz-json-1.1",
      "--header", "X-Amz-Target: \(call.prefix).\(call.operation)",
    ]
    if let token = call.token { arguments += ["--header", "X-Amz-Security-Token: \(token)"] }
    process.arguments = arguments + ["--data-binary", call.body, url + call.path]
    process.standardOutput = FileHandle.nullDevice
    return try await withCheckedThrowingContinuation { continuation in
      process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
      do { try process.run() } catch { continuation.resume(throwing: error) }
    }
  }

  @Test(arguments: calls) func curlSignsTheSameRequestInTheSameWay(call: Call) async throws {
    let received = Mutex<HTTPTestServer.Request?>(nil)
    let status = try await HTTPTestServer.run { request in
      received.withLock { $0 = request }
      return .answer(status: 200)
    } _: { server in
      try await CurlSignatureTests.send(call, to: server.url)
    }
    try #require(status == 0)
    let request = try #require(received.withLock { $0 })
    let theirs = try #require(request.header("authorization"))
    // What else a version of curl may send is not signed by it, and so not by us here.
    let signedNames = try AuthorizationHeader(parsing: theirs).signedHeaders
    let headers = request.headers.filter { signedNames.contains($0.name.lowercased()) }
    var credentials = CurlSignatureTests.key
    credentials.sessionToken = call.token
    let ours = RequestSigner(credentials: credentials, region: call.region, service: call.service).sign(
      SignableRequest(method: request.method, path: request.path, headers: headers, body: request.body),
      at: try #require(request.header("x-amz-date").flatMap { SigningDate($0) }))
    #expect(ours.addedHeaders.last?.value == theirs)
    let token = call.token == nil ? "" : "x-amz-security-token;"
    #expect(ours.signedHeaders == "content-type;host;x-amz-date;\(token)x-amz-target")
    #expect(request.body == Array(call.body.utf8))
  }
}
