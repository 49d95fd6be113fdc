import AWS
import Foundation
import Testing

@testable import EmbeddedGateway

@Suite struct ECSEndpointTests {
  static let key = AWSCredentials.generated()
  static let now: Int64 = 1_770_000_000

  static func endpoint(_ fleet: MemoryFleet) -> ECSEndpoint {
    ECSEndpoint(fleet: fleet, credentials: key, wallClock: { now })
  }

  static func request(
    _ operation: String, _ body: String, prefix: String = "AmazonEC2ContainerServiceV20141113.",
    method: String = "POST",
    contentType: String = "application/x-amz-json-1.1"
  ) -> SignableRequest {
    sign(
      SignableRequest(
        method: method, headers: [("Host", "h"), ("Content-Type", contentType), ("X-Amz-Target", prefix + operation)],
        body: Array(body.utf8)))
  }

  static func sign(_ request: SignableRequest) -> SignableRequest {
    var request = request
    let signer = RequestSigner(credentials: key, region: "eu-west-1", service: "ecs")
    request.headers += signer.sign(request, at: SigningDate(epochSeconds: now)).addedHeaders
    return request
  }

  static func call(_ fleet: MemoryFleet, _ operation: String, _ body: String) async throws -> [String: Any] {
    let response = await endpoint(fleet).respond(to: request(operation, body))
    var object = try #require(try JSONSerialization.jsonObject(with: Data(response.body)) as? [String: Any])
    object["status"] = response.status
    return object
  }

  static func arns(_ fleet: MemoryFleet, _ filters: String) async throws -> [String] {
    try #require(try await call(fleet, "ListTasks", #"{"cluster":"pool"\#(filters)}"#)["taskArns"] as? [String])
  }

  @Test func listingRunningIncludesTasksStillOnTheirWay() async throws {
    let fleet = MemoryFleet()
    let expected = [fleet.add(.provisioning), fleet.add(.pending), fleet.add(.running)].map(\.arn)
    let stopping = [fleet.add(.running, desired: .stopped), fleet.add(.stopped, desired: .stopped)].map(\.arn)
    #expect(try await ECSEndpointTests.arns(fleet, #","desiredStatus":"RUNNING""#) == expected)
    #expect(try await ECSEndpointTests.arns(fleet, "") == expected)
    #expect(try await ECSEndpointTests.arns(fleet, #","desiredStatus":"STOPPED""#) == stopping)
    #expect(try await ECSEndpointTests.arns(fleet, #","desiredStatus":"PENDING""#) == [])
  }

  @Test(arguments: [
    (#","serviceName":"warm""#, [0]), (#","serviceName":"arn:aws:ecs:eu-west-1:000000000000:service/pool/warm""#, [0]),
    (#","startedBy":"me""#, [1]), (#","startedBy":"nobody""#, []), (#","family":"shell""#, [0, 1]),
    (#","family":"other""#, []), (#","family":"other","serviceName":"warm""#, []), (#","launchType":"EC2""#, []),
    (#","launchType":"FARGATE""#, [0, 1]), (#","containerInstance":"x""#, []),
  ])
  func everyFilterMustMatch(filters: String, expected: [Int]) async throws {
    let fleet = MemoryFleet()
    let tasks = [fleet.add(.running), fleet.add(.running, group: "family:shell", startedBy: "me")]
    #expect(try await ECSEndpointTests.arns(fleet, filters) == expected.map { tasks[$0].arn })
  }

  @Test func pagesGoOnWhereTheLastEndedThoughTasksStopMeanwhile() async throws {
    let fleet = MemoryFleet(runningTasks: 7)
    let all = await fleet.tasks().map(\.arn)
    let first = try await ECSEndpointTests.call(fleet, "ListTasks", #"{"cluster":"pool","maxResults":3}"#)
    #expect(first["taskArns"] as? [String] == Array(all[0..<3]))
    let token = try #require(first["nextToken"] as? String)
    _ = await fleet.stopTask(id: String(all[2].suffix(8)), reason: "")
    let rest = try await ECSEndpointTests.call(fleet, "ListTasks", #"{"cluster":"pool","nextToken":"\#(token)"}"#)
    #expect(rest["taskArns"] as? [String] == Array(all[3...]))
    #expect(rest["nextToken"] == nil)
    let other = try await ECSEndpointTests.call(
      fleet, "ListTasks", #"{"cluster":"pool","serviceName":"warm","nextToken":"\#(token)"}"#)
    #expect(other["__type"] as? String == "InvalidParameterException")
  }

  static let refusals: [(String, String, String)] = [
    ("ListTasks", "{}", "ClusterNotFoundException"), ("ListTasks", #"{"cluster":"x"}"#, "ClusterNotFoundException"),
    ("ListTasks", #"{"cluster":"pool","serviceName":"x"}"#, "ServiceNotFoundException"),
    ("ListTasks", #"{"cluster":"pool","desiredStatus":"running"}"#, "InvalidParameterException"),
    ("ListTasks", #"{"cluster":"pool","maxResults":0}"#, "InvalidParameterException"),
    ("ListTasks", #"{"cluster":"pool","maxResults":101}"#, "InvalidParameterException"),
    ("ListTasks", #"{"cluster":"pool","nextToken":"x"}"#, "InvalidParameterException"),
    ("ListTasks", #"{"cluster":"pool","nextToken":""}"#, "InvalidParameterException"),
    ("ListTasks", #"{"cluster":"pool","startedBy":"a","serviceName":"warm"}"#, "InvalidParameterException"),
    ("ListTasks", #"{"cluster":7}"#, "SerializationException"), ("ListTasks", "[]", "SerializationException"),
    ("ListTasks", #"{"cluster":"pool","maxResults":1e99}"#, "SerializationException"),
    ("ListTasks", #"{"cluster":"pool""#, "SerializationException"), ("ListTasks", "null", "SerializationException"),
    ("ListTasks", String(repeating: #"{"cluster":"#, count: 60_000), "SerializationException"),
    ("ListTasks", String(repeating: "[", count: 500_000), "SerializationException"),
    ("DescribeTasks", #"{"cluster":"pool"}"#, "InvalidParameterException"),
    ("DescribeTasks", #"{"cluster":"pool","tasks":[]}"#, "InvalidParameterException"),
    (
      "DescribeTasks",
      #"{"cluster":"pool","tasks":[\#(Array(repeating: #""a""#, count: 101).joined(separator: ","))]}"#,
      "InvalidParameterException"
    ),
    ("StopTask", #"{"cluster":"pool"}"#, "InvalidParameterException"),
    ("StopTask", #"{"cluster":"pool","task":"nope"}"#, "InvalidParameterException"),
    ("StopTask", #"{"cluster":"pool","task":"arn:aws:ecs:eu-west-1:1:task/other/1"}"#, "InvalidParameterException"),
    ("RunTask", #"{"cluster":"pool"}"#, "ClientException"),
    ("RunTask", #"{"cluster":"pool","taskDefinition":":"}"#, "ClientException"),
    ("RunTask", #"{"cluster":"pool","taskDefinition":"shell","count":0}"#, "InvalidParameterException"),
    ("RunTask", #"{"cluster":"pool","taskDefinition":"shell","count":11}"#, "InvalidParameterException"),
    ("DescribeServices", #"{"cluster":"pool"}"#, "InvalidParameterException"),
    ("UpdateService", #"{"cluster":"pool","service":"x","desiredCount":1}"#, "ServiceNotFoundException"),
    ("UpdateService", #"{"cluster":"pool","service":"warm","desiredCount":-1}"#, "InvalidParameterException"),
    ("UpdateService", #"{"cluster":"pool","desiredCount":1}"#, "InvalidParameterException"),
    ("DeleteCluster", #"{"cluster":"pool"}"#, "UnknownOperationException"), ("", "{}", "UnknownOperationException"),
  ]

  @Test(arguments: refusals.indices)
  func wrongRequestsGetECSsOwnErrors(index: Int) async throws {
    let (operation, body, code) = ECSEndpointTests.refusals[index]
    let answer = try await ECSEndpointTests.call(MemoryFleet(runningTasks: 1), operation, body)
    #expect(answer["__type"] as? String == code, "\(operation)")
    #expect((answer["message"] as? String)?.isEmpty == false)
  }

  @Test func refusalsCarryTheirNumbersAndARequestID() async {
    let endpoint = ECSEndpointTests.endpoint(MemoryFleet())
    var unsigned = ECSEndpointTests.request("ListTasks", "{}")
    unsigned.headers.removeAll { $0.name == "Authorization" }
    let cases: [(SignableRequest, Int, String)] = [
      (unsigned, 400, "MissingAuthenticationTokenException"),
      (ECSEndpointTests.request("ListTasks", "{}", method: "GET"), 404, "UnknownOperationException"),
      (ECSEndpointTests.request("ListTasks", "{}", prefix: "Other."), 404, "UnknownOperationException"),
      (ECSEndpointTests.request("ListTasks", "{}", contentType: "text/xml"), 404, "UnknownOperationException"),
    ]
    for (request, status, code) in cases {
      let response = await endpoint.respond(to: request)
      #expect(response.status == status)
      #expect(response.headers.contains { $0 == ("x-amzn-ErrorType", code) })
      #expect(response.headers.contains { $0.name == "x-amzn-RequestId" && $0.value.count == 36 })
    }
  }

  @Test func randomBodiesAreAnsweredAndNeverTrap() async {
    var state: UInt64 = 11
    let endpoint = ECSEndpointTests.endpoint(MemoryFleet(runningTasks: 3))
    let operations = ["ListTasks", "DescribeTasks", "RunTask", "StopTask", "DescribeServices", "UpdateService"]
    let alphabet = Array(#"{}[]:,"\0129eE-+.clusterpooltasksnull "#.utf8) + [0, 0xff, 0xc3]
    for round in 0..<600 {
      let body = (0..<(round % 80)).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return alphabet[Int(state >> 33) % alphabet.count]
      }
      var request = ECSEndpointTests.request(operations[round % operations.count], "")
      request.headers.removeAll { ["Authorization", "X-Amz-Date"].contains($0.name) }
      request.body = body
      let response = await endpoint.respond(to: ECSEndpointTests.sign(request))
      #expect([200, 400].contains(response.status))
    }
  }

  @Test func onlySignedOrTargetedRequestsAreClaimed() {
    #expect(ECSEndpoint.claims(ECSEndpointTests.request("ListTasks", "{}")))
    #expect(ECSEndpoint.claims(SignableRequest(method: "POST", headers: [("x-amz-target", "x")])))
    #expect(!ECSEndpoint.claims(SignableRequest(method: "POST", headers: [("Authorization", "Bearer x")])))
  }

  @Test func tasksWithoutRoomAreFailures() async throws {
    let fleet = MemoryFleet(runningTasks: MemoryFleet.capacity - 2)
    let answer = try await ECSEndpointTests.call(
      fleet, "RunTask", #"{"cluster":"pool","taskDefinition":"shell:3","count":5,"startedBy":"me"}"#)
    #expect((answer["tasks"] as? [[String: Any]])?.map { $0["group"] as? String } == ["family:shell", "family:shell"])
    #expect((answer["failures"] as? [[String: Any]])?.count == 3)
  }

  @Test(arguments: [
    #""launchType":"FARGATE""#, #""launchType":"EXTERNAL","enableExecuteCommand":true"#,
    #""capacityProviderStrategy":[{"capacityProvider":"FARGATE_SPOT","weight":1}]"#,
    #""networkConfiguration":{"awsvpcConfiguration":{"subnets":["a","b"],"securityGroups":["g"],"assignPublicIp":"ENABLED"}}"#,
    #""networkConfiguration":{}"#,
  ]) func everyPlacementThatECSTakesStartsATask(placement: String) async throws {
    let answer = try await ECSEndpointTests.call(
      MemoryFleet(), "RunTask", #"{"cluster":"pool","taskDefinition":"shell","startedBy":"us",\#(placement)}"#)
    let tasks = try #require(answer["tasks"] as? [[String: Any]])
    #expect(tasks.map { $0["startedBy"] as? String } == ["us"])
    #expect(tasks.first?["lastStatus"] as? String == "PROVISIONING")
  }

  @Test(arguments: [
    #""launchType":"MOON""#, #""launchType":"EC2","capacityProviderStrategy":[{"capacityProvider":"p"}]"#,
    #""capacityProviderStrategy":[{}]"#, #""networkConfiguration":{"awsvpcConfiguration":{}}"#,
    #""networkConfiguration":{"awsvpcConfiguration":{"subnets":[]}}"#,
    #""networkConfiguration":{"awsvpcConfiguration":{"subnets":["a"],"assignPublicIp":"MAYBE"}}"#,
  ]) func aPlacementThatECSRefusesStartsNone(placement: String) async throws {
    let fleet = MemoryFleet()
    let answer = try await ECSEndpointTests.call(
      fleet, "RunTask", #"{"cluster":"pool","taskDefinition":"shell",\#(placement)}"#)
    #expect(answer["status"] as? Int == 400 && answer["__type"] as? String == "InvalidParameterException")
    #expect(await fleet.tasks().isEmpty)
  }

  @Test func generatedKeysDifferAndHaveAWSsForm() {
    let keys = (0..<50).map { _ in AWSCredentials.generated() }
    #expect(Set(keys.map(\.secretAccessKey)).count == 50)
    #expect(keys.allSatisfy { $0.accessKeyID.count == 20 && $0.secretAccessKey.count == 40 })
  }
}
