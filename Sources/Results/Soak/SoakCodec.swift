import FoundationEssentials

/// The lines of a soak's file as text.
package enum SoakCodec {
  /// Tells the kind of a line by the field that it has.
  private struct Line: Codable {
    var head: SoakHead?
    var minute: SoakMinute?
    var end: SoakEnd?
  }

  /// The line with its end of line.
  package static func encode(_ line: SoakLine) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let wrapped =
      switch line {
      case .head(let head): Line(head: head)
      case .minute(let minute): Line(minute: minute)
      case .end(let end): Line(end: end)
      }
    return String(decoding: try encoder.encode(wrapped), as: UTF8.self) + "\n"
  }

  /// The line without its end of line.
  ///
  /// - Throws: Where it is no line of a soak's file.
  package static func decode(_ bytes: some Sequence<UInt8>, tools: ToolDescriptions) throws(SoakLineError) -> SoakLine {
    let data = Data(bytes)
    let decoder = JSONDecoder()
    decoder.userInfo[ToolDescriptions.key] = tools
    let line: Line
    do { line = try decoder.decode(Line.self, from: data) } catch {
      switch DecodingFault(error, in: data) {
      case .noJSON, .noObject: throw SoakLineError("is no JSON object")
      case .missing(let sentence), .wrong(let sentence): throw SoakLineError(sentence)
      }
    }
    switch (line.head, line.minute, line.end) {
    case (let head?, nil, nil):
      guard head.schema == SoakLine.schema else { throw SoakLineError("its schema is '\(head.schema.prefix(60))'") }
      return .head(head)
    case (nil, let minute?, nil): return .minute(minute)
    case (nil, nil, let end?): return .end(end)
    default: throw SoakLineError("is none of head, minute and end")
    }
  }
}

/// Why a text is no line of a soak's file.
package struct SoakLineError: Error, Sendable, Equatable {
  package var sentence: String

  init(_ sentence: String) { self.sentence = sentence }
}
