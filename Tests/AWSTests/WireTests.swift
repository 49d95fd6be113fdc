import AWSTestSupport
import Synchronization
import Testing
@testable import AWS

/// What of a call a server really receives.
@Suite struct WireTests {
  @Test(arguments: [nil, "t0ken+/="] as [String?]) func exactlyTheAgreedHeadersAreSigned(token: String?) async throws {
    let key = AWSCredentials(accessKeyID: "AKIATEST", secretAccessKey: "s", sessionToken: token, source: "test")
    let received = Mutex<HTTPTestServer.Request?>(nil)
    try await HTTPTestServer.run { request in
      received.withLock { $0 = request }
      return .answer(status: 200, body: Array(#"{"taskArns":[]}"#.utf8))
    } _: { (server) async throws -> Void in
      let client = try makeClient(
        CurlTransport(), endpoint: server.url, environment: .system { _ in }, credentials: StaticCredentials(key))
      _ = try await client.listTasks(.init(cluster: "c"))
    }
    let request = try #require(received.withLock { $0 })
    #expect(request.method == "POST" && request.path == "/" && request.query.isEmpty)
    #expect(request.header("content-type") == "application/x-amz-json-1.1")
    #expect(request.header("x-amz-target") == "AmazonEC2ContainerServiceV20141113.ListTasks")
    #expect(request.header("x-amz-security-token") == token)
    #expect(request.header("expect") == nil && request.header("accept-encoding") == nil)
    let names = token == nil ? "x-amz-date" : "x-amz-date;x-amz-security-token"
    #expect(
      request.header("authorization")?.contains("SignedHeaders=content-type;host;\(names);x-amz-target,") == true)

    let date = try #require(request.header("x-amz-date").flatMap { SigningDate($0) })
    let signable = SignableRequest(
      method: request.method, path: request.path, query: request.query, headers: request.headers, body: request.body)
    try RequestVerifier(credentials: key, service: "ecs").verify(signable, at: date)
  }

  @Test func anUnsignedOperationCarriesNoCredentials() async throws {
    let transport = ScriptedTransport([.json(200, "<ok/>"), .json(400, "<Error><Code>ExpiredToken</Code></Error>")])
    let service = SignedService(
      target: ServiceTarget(
        signingName: "sts", region: "r", endpoint: try ServiceEndpoint(parsing: "http://h", source: ""),
        endpointSetting: "AWS_ENDPOINT_URL_STS"),
      credentials: StaticCredentials(testKey), transport: transport, environment: ManualEnvironment().environment())
    let request = ServiceRequest(
      operation: "AssumeRoleWithWebIdentity", headers: [("Content-Type", "application/x-www-form-urlencoded")],
      body: Array("a=b".utf8), isSigned: false)
    let (text, record) = try await service.send(request, retry: .standard) { String(decoding: $0.body, as: UTF8.self) }
    #expect(text == "<ok/>" && record.operation == "AssumeRoleWithWebIdentity")
    let error = await awsError { _ = try await service.send(request, retry: .standard) { $0.status } }
    #expect(error?.kind == .expiredCredentials)
    #expect(transport.requests.map { $0.headers.map(\.name) } == [["Content-Type"], ["Content-Type"]])
  }
}
