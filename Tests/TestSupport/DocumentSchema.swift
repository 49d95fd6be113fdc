import Foundation

/// The JSON Schemas of what the tools write, and a validator that nobody here wrote: Python's `jsonschema`.
public enum DocumentSchema {
  /// Whether documents can be validated; tests that need it are skipped with a note otherwise.
  public static let isAvailable = Python.canImport("jsonschema")

  /// Which of the project's schemas.
  public enum Kind: String, Sendable {
    case result, comparison, trend, plan, summary, gateway, soak

    /// `docs/schema/infrabench.result-1.schema.json` and its like.
    fileprivate var path: String {
      URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "docs/schema/infrabench.\(rawValue)-1.schema.json").path
    }
  }

  /// What is wrong with the documents at `paths`, a line per fault; empty when all are valid.
  public static func faults(inFilesAt paths: [String], schema: Kind = .result) async throws -> [String] {
    let result = try await Python.run(["-c", script, schema.path] + paths)
    guard result.status == 0 || result.status == 65 else { return ["the validator failed: \(result.output)"] }
    return result.output.split(separator: "\n").map(String.init)
  }

  /// What is wrong with one document.
  public static func faults(in json: String, schema: Kind = .result) async throws -> [String] {
    let scratch = try ScratchDirectory()
    return try await faults(inFilesAt: [try scratch.write("document.json", json)], schema: schema)
  }

  /// NaN and Infinity are no JSON, though Python's parser would take them.
  private static let script = """
    import json, sys
    from jsonschema import Draft202012Validator as Validator
    def refuse(name):
        raise ValueError(name + " is no JSON")
    schema = json.load(open(sys.argv[1]))
    Validator.check_schema(schema)
    faulty = False
    for path in sys.argv[2:]:
        document = json.load(open(path), parse_constant=refuse)
        for error in Validator(schema).iter_errors(document):
            faulty = True
            print(path.split("/")[-1] + ": " + error.json_path + ": " + error.message.replace("\\n", " ")[:200])
    sys.exit(65 if faulty else 0)
    """
}
