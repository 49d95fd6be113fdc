extension ToolOption {
  /// The arguments that give this option a scenario file's value.
  func arguments(for value: StrictJSON.Value) throws(ScenarioFileError) -> [String] {
    switch (kind, value) {
    case (.flag, .bool(let isSet)):
      return isSet ? ["--\(name)"] : []
    case (.flag, _):
      throw ScenarioFileError(reason: "it is a flag: write true or false")
    case (.repeatable, .array(let values)):
      var words: [String] = []
      for value in values { words += try pair(value) }
      return words
    default:
      return try pair(value)
    }
  }

  /// The option and its value so that the parser takes the one for the other's, whatever the text begins with.
  private func pair(_ value: StrictJSON.Value) throws(ScenarioFileError) -> [String] {
    let text: String
    switch value {
    case .string(let string): text = string
    case .number(let number): text = number
    default:
      let several = kind == .repeatable ? ", or an array of texts" : ""
      throw ScenarioFileError(reason: "it takes a value: write a text or a number\(several)")
    }
    guard !text.utf8.contains(0) else { throw ScenarioFileError(reason: "its text holds U+0000, which no option can") }
    // Behind an equals sign an empty text would be none, and a combining mark would make another Character of the sign.
    return text.first == "-" ? ["--\(name)=\(text)"] : ["--\(name)", text]
  }
}
