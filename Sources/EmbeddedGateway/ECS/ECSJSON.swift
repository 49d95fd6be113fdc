import FoundationEssentials

/// Bodies of AWS JSON 1.1.
enum ECSJSON {
  /// - Throws: ``ECSRefusal`` `SerializationException` for anything but a JSON object with members of the right types.
  static func decode<Input: Decodable>(_ type: Input.Type, from body: [UInt8]) throws(ECSRefusal) -> Input {
    do {
      return try JSONDecoder().decode(type, from: Data(body.isEmpty ? Array("{}".utf8) : body))
    } catch DecodingError.typeMismatch(_, let context) {
      throw .serialization("A member of the request has the wrong type: '\(path(context))'.")
    } catch {
      throw .serialization("The request's body is not a JSON object of this operation.")
    }
  }

  static func encode(_ output: some Encodable) -> [UInt8] {
    // Fails only for numbers that JSON cannot write, NaN and infinity; no instant of a task is one.
    (try? JSONEncoder().encode(output)).map(Array.init) ?? Array("{}".utf8)
  }

  private static func path(_ context: DecodingError.Context) -> String {
    context.codingPath.map(\.stringValue).joined(separator: ".")
  }
}
