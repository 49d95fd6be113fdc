/// An error in ECS's own terms: `{"__type": code, "message": message}`.
struct ECSRefusal: Error, Encodable, Equatable {
  var code: String
  var message: String
  var status = 400

  private enum CodingKeys: String, CodingKey {
    case code = "__type"
    case message
  }

  static let clusterNotFound = ECSRefusal(code: "ClusterNotFoundException", message: "Cluster not found.")
  static let serviceNotFound = ECSRefusal(code: "ServiceNotFoundException", message: "Service not found.")
  static let unknownOperation = ECSRefusal(
    code: "UnknownOperationException", message: "The requested operation is not supported by this endpoint.",
    status: 404)

  static func serialization(_ message: String) -> ECSRefusal {
    ECSRefusal(code: "SerializationException", message: message)
  }

  static func parameter(_ message: String) -> ECSRefusal {
    ECSRefusal(code: "InvalidParameterException", message: message)
  }

  static func client(_ message: String) -> ECSRefusal {
    ECSRefusal(code: "ClientException", message: message)
  }
}
