import FoundationEssentials

/// Calls operations of one service that speaks AWS JSON 1.1.
struct JSONService: Sendable {
  /// `AmazonEC2ContainerServiceV20141113`.
  let targetPrefix: String
  let service: SignedService

  /// Calls one operation.
  func call<Input: Encodable, Output: Decodable>(
    _ operation: String, _ input: Input, returning output: Output.Type, retry: RetryPolicy
  ) async throws(AWSError) -> (output: Output, record: CallRecord) {
    let request = ServiceRequest(
      operation: operation,
      headers: [("Content-Type", "application/x-amz-json-1.1"), ("X-Amz-Target", "\(targetPrefix).\(operation)")],
      body: try encode(input))
    return try await service.send(request, retry: retry) { response in
      try JSONDecoder().decode(Output.self, from: Data(response.body))
    }
  }

  private func encode(_ input: some Encodable) throws(AWSError) -> [UInt8] {
    do {
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      return Array(try encoder.encode(input))
    } catch {
      throw .configuration("the request cannot be written as JSON: \(error)")
    }
  }
}
