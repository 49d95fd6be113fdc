import Foundation
import TestSupport

/// The pipelines of docs/ci.md, and what they run.
enum PipelineExamples {
  /// One piece of shell, as its pipeline would run it.
  struct Snippet: Decodable, Sendable, CustomStringConvertible {
    /// Where it is, such as `nightly: Measure`.
    var place: String
    /// The shell's words before the script.
    var shell: [String]
    var script: String
    /// What the page says to write it to, before it is run.
    var file: String?

    var description: String { place }
  }

  static let isReadable = Python.canImport("yaml")

  private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// The project's own pipelines, by their paths.
  static func workflows() throws -> [String] {
    let folder = ".github/workflows"
    return try FileManager.default.contentsOfDirectory(atPath: root.appending(path: folder).path).sorted()
      .map { "\(folder)/\($0)" }
  }

  /// Whether the project has a program of this path.
  static func isProgram(_ path: String) -> Bool {
    FileManager.default.isExecutableFile(atPath: root.appending(path: path).path)
  }

  /// A file of the project.
  static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appending(path: path), encoding: .utf8)
  }

  /// The pages of examples, in the order in which they are read.
  private static let pages = ["docs/ci.md", "docs/ci-gitlab-jenkins.md", "docs/ci-cron.md"]

  /// Blocks of code with what stands behind their first three backticks.
  static func blocks() throws -> [(info: String, text: String)] {
    var blocks: [(info: String, text: String)] = []
    var open: (info: String, lines: [Substring])?
    let lines = try pages.flatMap { try text($0).split(separator: "\n", omittingEmptySubsequences: false) }
    for line in lines {
      if line.hasPrefix("```") {
        if let block = open.take() {
          blocks.append((block.info, block.lines.map { $0 + "\n" }.joined()))
        } else {
          open = (String(line.dropFirst(3)), [])
        }
      } else {
        open?.lines.append(line)
      }
    }
    return blocks
  }

  /// All shell of all examples, in the order of the page.
  static func snippets() async throws -> [Snippet] {
    var snippets: [Snippet] = []
    for (info, text) in try blocks() {
      switch info.prefix(while: { $0 != " " }) {
      case "sh":
        let file = info.split(separator: " ").first { $0.hasPrefix("file=") }.map { String($0.dropFirst(5)) }
        snippets.append(Snippet(place: "sh: \(text.prefix(60))", shell: ["bash"], script: text, file: file))
      case "yaml": snippets += try await Self.snippets(of: text)
      case "groovy":
        // Jenkins runs `sh -xe`.
        for match in text.matches(of: /\bsh\b[^'\n]*'([^']*)'/) {
          snippets.append(Snippet(place: "Jenkins", shell: ["sh", "-xe"], script: String(match.output.1)))
        }
      default: break
      }
    }
    return snippets
  }

  /// The shell of one pipeline.
  static func snippets(of yaml: String) async throws -> [Snippet] {
    let scratch = try ScratchDirectory()
    let result = try await Python.run(["-c", script, try scratch.write("pipeline.yml", yaml)])
    guard result.status == 0 else { throw Failure(description: result.output) }
    return try JSONDecoder().decode([Snippet].self, from: Data(result.output.utf8))
  }

  private struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  /// GitHub takes `sh` in containers, `bash` elsewhere; GitLab's runner takes bash.
  private static let script = """
    import json, sys, yaml
    text = yaml.safe_load(open(sys.argv[1]))
    snippets = []
    for name, job in text.get("jobs", {}).items():
        for step in job["steps"]:
            assert ("run" in step) != ("uses" in step), step
            if "run" in step:
                own = ["bash", "--noprofile", "--norc", "-eo", "pipefail"] if step.get("shell") == "bash" else None
                shell = own or (["sh", "-e"] if "container" in job else ["bash", "-e"])
                snippets.append(dict(place=f"{text['name']}: {step.get('name', step['run'])}", shell=shell, script=step["run"]))
    for name, job in ({} if "jobs" in text else text).items():
        for part in ("script", "after_script"):
            if part in job:
                snippets.append(dict(place=f"GitLab {name}: {part}", shell=["bash", "-eo", "pipefail"], script="\\n".join(job[part])))
    json.dump(snippets, sys.stdout)
    """
}
