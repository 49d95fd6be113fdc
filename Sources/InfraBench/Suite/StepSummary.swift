import Glibc

/// The page of a GitHub job, to which each step appends Markdown: `GITHUB_STEP_SUMMARY`.
///
/// GitHub drops a step's whole page where it is larger than 1 MiB; so it is cut before that.
/// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#step-isolation-and-limits
enum StepSummary {
  /// In bytes, of all that is in the file.
  static let limit = 1 << 20

  /// Appends `text`; where it is cut the last line names `whole`, the file with all of it.
  ///
  /// - Returns: what went wrong, for people; nil where nothing did.
  static func append(_ text: String, to path: String, whole: String) -> String? {
    let file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
    guard file >= 0 else { return "\(path) cannot be written: \(String(cString: strerror(errno)))" }
    defer { close(file) }
    var status = stat()
    let size = fstat(file, &status) == 0 ? Int(status.st_size) : 0
    guard let fitting = fit(text, into: limit - size, whole: whole) else {
      return "\(path) is full, GitHub's limit is 1 MiB: the summary is in \(whole)"
    }
    var bytes = Array(fitting.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return "\(path) cannot be written: \(String(cString: strerror(errno)))" }
      bytes = bytes.dropFirst(count)
    }
    return nil
  }

  /// `text`, or as many of its lines as fit beside the line that says so; nil where not even that does.
  static func fit(_ text: String, into room: Int, whole: String) -> String? {
    Markdown.cut(
      text, to: room, pointer: "\nCut here, as GitHub shows at most 1 MiB: all of it is in \(Markdown.escape(whole)).\n"
    )
  }
}
