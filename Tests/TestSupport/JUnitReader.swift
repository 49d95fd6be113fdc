import Foundation

/// JUnit XML as others read it: Python's `lxml` validates it against `docs/schema/junit.xsd`, and `junitparser`, which many of
/// GitHub's actions are made of, reads it.
public enum JUnitReader {
  /// One case, as `junitparser` sees it.
  public struct Case: Decodable, Sendable, Equatable {
    /// The name of its suite.
    public var suite: String
    /// By which readers tell it from others of its name.
    public var className: String
    /// Its own.
    public var name: String
    /// `passed`, `failure`, `error` or `skipped`.
    public var outcome: String
    /// The outcome's attribute; nil of one that passed.
    public var message: String?
    /// The outcome's text; nil of one that passed.
    public var text: String?
  }

  /// Whether files can be read; tests that need it are skipped with a note otherwise.
  public static let isAvailable = Python.canImport("lxml.etree") && Python.canImport("junitparser")

  /// What is wrong with a file, a line per fault, and its cases.
  public struct Reading: Decodable, Sendable {
    /// By the schema, and by what the file says of its own numbers.
    public var faults: [String]
    /// In the file's order.
    public var cases: [Case]
  }

  /// Reads a file's text.
  ///
  /// - Throws: When it is no XML, or `junitparser` can't read it: the reader's own message.
  public static func read(_ xml: String) async throws -> Reading {
    let scratch = try ScratchDirectory()
    let result = try await Python.run(["-c", script, schema, try scratch.write("junit.xml", xml)])
    guard result.status == 0 else { throw Failure(description: result.output) }
    return try JSONDecoder().decode(Reading.self, from: Data(result.output.utf8))
  }

  private struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  private static let schema = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "docs/schema/junit.xsd").path

  /// Also: every number of a suite and of the whole is that of its cases.
  private static let script = """
    import json, sys
    from lxml import etree
    from junitparser import JUnitXml
    schema = etree.XMLSchema(etree.parse(sys.argv[1]))
    document = etree.parse(sys.argv[2])
    schema.validate(document)
    faults = [f"line {error.line}: {error.message}" for error in schema.error_log]
    root = document.getroot()
    def check(element, cases, names):
        for name, tag in names:
            found = len(cases) if tag is None else sum(1 for case in cases if case.find(tag) is not None)
            if int(element.get(name)) != found: faults.append(f"{element.get('name')}: {name} is not {found}")
        if abs(float(element.get("time")) - sum(float(case.get("time")) for case in cases)) > 1e-6:
            faults.append(f"{element.get('name')}: its time is not its cases'")
    counts = [("tests", None), ("failures", "failure"), ("errors", "error")]
    for suite in root: check(suite, list(suite), counts + [("skipped", "skipped")])
    check(root, [case for suite in root for case in suite], counts)
    cases = []
    for suite in JUnitXml.fromfile(sys.argv[2]):
        for case in suite:
            result = case.result[0] if case.result else None
            cases.append(dict(
                suite=suite.name, className=case.classname, name=case.name,
                outcome={"Failure": "failure", "Error": "error", "Skipped": "skipped"}.get(type(result).__name__, "passed"),
                message=result.message if result is not None else None, text=result.text if result is not None else None))
    json.dump(dict(faults=faults, cases=cases), sys.stdout)
    """
}
