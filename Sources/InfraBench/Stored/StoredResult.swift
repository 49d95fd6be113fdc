import FoundationEssentials

/// A result that was read from a file. Its figures are those of its histograms, whatever the document says.
package struct StoredResult: Sendable {
  /// As the user named it.
  package let path: String
  let identity: StoredFile.Identity
  /// The file's name without folders and `.json`.
  package let stem: String
  /// With the histograms' figures, and a note for each that the document has otherwise.
  package let document: ResultDocument
  /// Where the document contradicts its histograms: it was edited by hand, or written by something else.
  package let contradictions: [String]

  /// Reads and checks a result.
  ///
  /// - Throws: Why it can't be shown, naming the file and what is wrong in it.
  package init(path: String) throws(StoredResultError) {
    let contents = try Self.contents(path)
    let document = try Self.document(in: contents, path)
    if let reason = DocumentRules.violation(in: document) { throw StoredResultError(path, reason) }
    do throws(HistogramMismatch) {
      let review = try FigureReview(document)
      self.document = review.document
      contradictions = review.contradictions
    } catch {
      throw StoredResultError(path, error.description)
    }
    self.path = path
    identity = contents.identity
    let name = path.split(separator: "/").last.map(String.init) ?? path
    stem = name.hasSuffix(".json") && name.utf8.count > 5 ? String(name.dropLast(5)) : name
  }

  private struct Head: Decodable {
    var schema: String?
  }

  private static func contents(_ path: String) throws(StoredResultError) -> FileContents {
    do throws(FileReadError) { return try FileContents(path) } catch {
      let advice = error == .folder ? ": name the files in it, such as \(path)/*.json" : ""
      throw StoredResultError(path, error.description + advice)
    }
  }

  private static func document(
    in contents: FileContents, _ path: String
  ) throws(StoredResultError) -> ResultDocument {
    guard let text = String(validating: contents.bytes, as: UTF8.self) else {
      throw StoredResultError(path, "is no text in UTF-8")
    }
    let data = Data(text.utf8)
    let head: Head
    do { head = try JSONDecoder().decode(Head.self, from: data) } catch {
      throw StoredResultError(path, reason(error, in: data))
    }
    if let reason = refusal(of: head.schema) { throw StoredResultError(path, reason) }
    do { return try JSONDecoder().decode(ResultDocument.self, from: data) } catch {
      throw StoredResultError(path, reason(error, in: data))
    }
  }

  private static func refusal(of schema: String?) -> String? {
    guard let schema else { return "is no result: it names no schema" }
    let parts = schema.split(separator: "/", omittingEmptySubsequences: false)
    switch (parts.first, parts.dropFirst().first.flatMap { Int($0) }, parts.count) {
    case ("infrabench.result", 1, 2): return nil
    case ("infrabench.result", let version?, 2) where version > 1:
      return "is of the newer schema '\(schema)': show it with the suite that wrote it, or a later one"
    case ("infrabench.summary", _, _): return "is a summary of several tools: name the results that it was made of"
    case ("infrabench.comparison", _, _): return "is a comparison, not the result of a run"
    default: return "is no result: its schema is '\(schema.prefix(60))'"
    }
  }

  private static func reason(_ error: any Error, in data: Data) -> String {
    switch DecodingFault(error, in: data) {
    case .noJSON: "is no JSON: it may be cut off"
    case .noObject: "is no result: it is no JSON object"
    case .missing(let sentence): "is no whole result: \(sentence)"
    case .wrong(let sentence): "is no result: \(sentence)"
    }
  }
}
