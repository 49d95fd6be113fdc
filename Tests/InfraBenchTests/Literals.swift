package import Results

@testable import InfraBench

/// A tool of the suite by its name.
extension ToolDescription: ExpressibleByStringLiteral {
  package init(stringLiteral name: String) { self = ToolDescriptions.suite.description(of: name) }
}

/// Rows as they stand in a document.
extension ResultTimeline: ExpressibleByArrayLiteral {
  package init(arrayLiteral rows: Row...) { self.init(rows) }
}

extension ResultTimeline.Row {
  /// A value by the key's name.
  subscript(name: String) -> JSONValue? {
    get { values[name] }
    set { values[name] = newValue }
  }

  func merging(_ others: [String: JSONValue], uniquingKeysWith choose: (JSONValue, JSONValue) -> JSONValue)
    -> ResultTimeline.Row
  {
    .init(values.merging(others, uniquingKeysWith: choose))
  }
}
