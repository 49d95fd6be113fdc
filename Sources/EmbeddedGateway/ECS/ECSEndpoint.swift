public import AWS
import FoundationEssentials

/// The gateway's ECS-compatible endpoint without HTTP: it takes a signed request and returns an answer.
///
/// It speaks AWS JSON 1.1 as Amazon ECS does (API version 2014-11-13), errors included, for the operations that observe
/// and drain a pool. Every request must be signed with the key pair that the endpoint was made with.
public struct ECSEndpoint: Sendable {
  static let targetPrefix = "AmazonEC2ContainerServiceV20141113."

  /// An answer, ready to be written.
  public struct Response: Sendable {
    /// 200, 400 or 404. The HTTP server limits the body.
    public var status: Int
    /// `Content-Type` and `x-amzn-RequestId`; the HTTP server adds `Content-Length` and `Date`.
    public var headers: [(name: String, value: String)]
    /// The JSON body.
    public var body: [UInt8]
  }

  private let verifier: RequestVerifier
  private let wallClock: @Sendable () -> Int64
  private let operations: ECSOperations

  /// Makes an endpoint.
  ///
  /// - Parameters:
  ///   - credentials: the only key pair accepted, see ``AWSCredentials/generated()``.
  ///   - wallClock: seconds since 1970; requests must be dated within 15 minutes of it.
  public init(fleet: any TaskFleet, credentials: AWSCredentials, wallClock: @escaping @Sendable () -> Int64) {
    verifier = RequestVerifier(credentials: credentials, service: "ecs")
    self.wallClock = wallClock
    operations = ECSOperations(fleet: fleet)
  }

  /// Whether a request belongs to this endpoint and not to the gateway's own REST routes.
  public static func claims(_ request: SignableRequest) -> Bool {
    request.header("x-amz-target") != nil || request.header("authorization")?.hasPrefix("AWS4-HMAC-SHA256") == true
  }

  /// Answers one request; a malformed request gets an error as its answer.
  ///
  /// - Parameter clockSkew: how far the endpoint's clock is ahead, in seconds: an injected fault.
  public func respond(to request: SignableRequest, clockSkew: Int64 = 0) async -> Response {
    do throws(ECSError) {
      let body = try await body(answering: request, clockSkew: clockSkew)
      return Response(status: 200, headers: Self.headers(Self.requestID()), body: body)
    } catch {
      return Self.response(to: error)
    }
  }

  /// The answer that reports an error.
  static func response(to error: ECSError) -> Response {
    Response(
      status: error.status, headers: headers(requestID()) + [("x-amzn-ErrorType", error.code)],
      body: ECSJSON.encode(error))
  }

  private static func requestID() -> String { UUID().uuidString.lowercased() }

  private func body(answering request: SignableRequest, clockSkew: Int64) async throws(ECSError) -> [UInt8] {
    do throws(SignatureRejection) {
      try verifier.verify(request, at: SigningDate(epochSeconds: wallClock() + clockSkew))
    } catch {
      throw ECSError(code: error.code.rawValue, message: error.message)
    }
    let mediaType = (request.header("content-type") ?? "").prefix { $0 != ";" }.lowercased()
    guard request.method == "POST", mediaType == "application/x-amz-json-1.1",
      let target = request.header("x-amz-target"), target.hasPrefix(ECSEndpoint.targetPrefix)
    else { throw .unknownOperation }
    return try await operations.perform(String(target.dropFirst(ECSEndpoint.targetPrefix.count)), body: request.body)
  }

  private static func headers(_ requestID: String) -> [(name: String, value: String)] {
    [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-RequestId", requestID)]
  }
}

/// An error in ECS's own form: `{"__type": code, "message": message}`.
struct ECSError: Error, Encodable, Equatable {
  var code: String
  var message: String
  var status = 400

  private enum CodingKeys: String, CodingKey {
    case code = "__type"
    case message
  }

  static let clusterNotFound = ECSError(code: "ClusterNotFoundException", message: "Cluster not found.")
  static let serviceNotFound = ECSError(code: "ServiceNotFoundException", message: "Service not found.")
  static let unknownOperation = ECSError(
    code: "UnknownOperationException", message: "The requested operation is not supported by this endpoint.",
    status: 404)

  static func serialization(_ message: String) -> ECSError {
    ECSError(code: "SerializationException", message: message)
  }

  static func parameter(_ message: String) -> ECSError {
    ECSError(code: "InvalidParameterException", message: message)
  }

  static func client(_ message: String) -> ECSError {
    ECSError(code: "ClientException", message: message)
  }
}

/// Bodies of AWS JSON 1.1.
enum ECSJSON {
  /// - Throws: ``ECSError`` `SerializationException` unless the body is a JSON object whose members have the right
  ///   types.
  static func decode<Input: Decodable>(_ type: Input.Type, from body: [UInt8]) throws(ECSError) -> Input {
    do {
      return try JSONDecoder().decode(type, from: Data(body.isEmpty ? Array("{}".utf8) : body))
    } catch DecodingError.typeMismatch(_, let context) {
      throw .serialization("A member of the request has the wrong type: '\(path(context))'.")
    } catch {
      throw .serialization("The request's body is not a JSON object of this operation.")
    }
  }

  static func encode(_ output: some Encodable) -> [UInt8] {
    // Encoding fails only for NaN and infinity, which JSON cannot write and no instant of a task can be.
    (try? JSONEncoder().encode(output)).map(Array.init) ?? Array("{}".utf8)
  }

  private static func path(_ context: DecodingError.Context) -> String {
    context.codingPath.map(\.stringValue).joined(separator: ".")
  }
}

extension AWSCredentials {
  /// A random key pair in AWS's form (20 and 40 characters), used for one run of the gateway.
  public static func generated() -> AWSCredentials {
    var generator = SystemRandomNumberGenerator()
    func text(_ count: Int, of alphabet: String) -> String {
      String((0..<count).compactMap { _ in alphabet.randomElement(using: &generator) })
    }
    return AWSCredentials(
      accessKeyID: "AKIA" + text(16, of: "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
      secretAccessKey: text(40, of: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"),
      source: "the embedded gateway")
  }
}
