import Glibc

/// Does what a user's program could do with files and processes, at the user's word, so that `bench-verify` can see what
/// a user can see. Each request is one line, or one message of the product's form, and each answer is one line:
///
///     ~1 put notes 00ff       ~1 ok
///     ~2 get notes            ~2 ok 00ff
///     ~3 get ../other/notes   ~3 error EACCES
///
/// The number is the asker's, and comes back with the answer. A line of another form is answered as without `--verbs`.
///
/// The contents of files are compared here and never leave this process: `get` shows only what is hexadecimal, as what
/// `put` has written, and at most 64 digits of it.
struct Verbs {
  /// The longest text that is looked for, and the most of a file that is read, in bytes.
  private static let (longestWord, mostOfAFile) = (64, 1 << 20)
  /// The most processes and directory entries that are looked at.
  private static let mostEntries = 100_000

  /// The answer to `line`; nil: it is no request.
  static func answer(_ line: some Collection<UInt8>) -> String? {
    guard line.first == UInt8(ascii: "~") else { return nil }
    let words = String(decoding: line, as: UTF8.self).split(whereSeparator: \.isWhitespace).map(String.init)
    guard words.count >= 2, words[0].dropFirst().allSatisfy(\.isNumber), words[0].utf8.count > 1 else { return nil }
    return "\(words[0]) \(perform(words[1], Array(words.dropFirst(2))))"
  }

  private static func perform(_ verb: String, _ words: [String]) -> String {
    switch (verb, words.count) {
    case ("say", 1): "ok \(words[0])"
    case ("whoami", 0): whoAmI()
    case ("put", 2): put(words[1], at: words[0])
    case ("get", 1): get(words[0])
    case ("open", 1): result(withFile: words[0]) { _ in "ok" }
    case ("grep", 2): result(withFile: words[1]) { Self.contents($0).contains(words[0]) ? "ok found" : "ok absent" }
    case ("ls", 1): list(words[0]) { "ok \($0.count)" }
    case ("find", 2): list(words[1]) { names in names.contains { $0.contains(words[0]) } ? "ok found" : "ok absent" }
    case ("mode", 1): mode(words[0])
    case ("symlink", 2): result(symlink(words[0], words[1]))
    case ("link", 2): result(link(words[0], words[1]))
    case ("rm", 1): result(unlink(words[0]))
    case ("hold", 1): hold(words[0])
    case ("environ", _) where !words.isEmpty: look(for: words) { "/proc/\($0)/environ" }
    case ("cwd", _) where !words.isEmpty: lookInDirectories(for: words)
    default: "error EINVAL"
    }
  }

  private static func whoAmI() -> String {
    guard let directory = getcwd(nil, 0) else { return failure() }
    defer { free(directory) }
    return "ok uid=\(getuid()) gid=\(getgid()) pid=\(getpid()) start=\(start) cwd=\(String(cString: directory))"
  }

  /// When this process started, in ticks since the system's start (proc(5), field 22 of /proc/PID/stat).
  private static var start: String {
    let file = open("/proc/self/stat", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return "" }
    defer { close(file) }
    // The name of the program, in parentheses, may have blanks.
    let fields = contents(file).split(separator: ")").last?.split(separator: " ") ?? []
    return fields.count > 19 ? String(fields[19]) : ""
  }

  // MARK: Files

  private static func put(_ text: String, at path: String) -> String {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard file >= 0 else { return failure() }
    defer { close(file) }
    let bytes = Array(text.utf8)
    guard write(file, bytes, bytes.count) == bytes.count, fsync(file) == 0 else { return failure() }
    return "ok"
  }

  private static func get(_ path: String) -> String {
    result(withFile: path) { file in
      let text = contents(file)
      let isOwn = !text.isEmpty && text.utf8.count <= longestWord && text.allSatisfy(\.isHexDigit)
      return isOwn ? "ok \(text)" : "ok other"
    }
  }

  private static func mode(_ path: String) -> String {
    var info = stat()
    guard lstat(path, &info) == 0 else { return failure() }
    return "ok mode=\(String(info.st_mode & 0o7777, radix: 8)) uid=\(info.st_uid)"
  }

  private static func result(withFile path: String, _ use: (Int32) -> String) -> String {
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { return failure() }
    defer { close(file) }
    return use(file)
  }

  private static func contents(_ file: Int32) -> String {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16_384)
    while bytes.count < mostOfAFile {
      let count = read(file, &buffer, buffer.count)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { break }
      bytes += buffer.prefix(count)
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func list(_ path: String, _ use: ([String]) -> String) -> String {
    names(in: path).map(use) ?? failure()
  }

  /// The names in a directory; nil where it cannot be listed, with the reason in `errno`.
  private static func names(in path: String) -> [String]? {
    guard let directory = opendir(path) else { return nil }
    defer { closedir(directory) }
    var names: [String] = []
    while names.count < mostEntries, let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names
  }

  private static func result(_ status: Int32) -> String { status == 0 ? "ok" : failure() }

  // MARK: Processes

  /// Starts this program once more with `word` in its environment, as a user's programs have secrets there. It ends with
  /// its input, which is a pipe from here.
  private static func hold(_ word: String) -> String {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { return failure() }
    defer { close(ends[0]) }
    // The writing end stays open in this process alone.
    _ = fcntl(ends[1], F_SETFD, FD_CLOEXEC)
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO)
    // What it prints is nobody's answer.
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
    let arguments = [strdup("session-stand-in"), nil]
    let environment = [strdup("SESSION_SECRET=\(word)"), nil]
    defer { (arguments + environment).forEach { free($0) } }
    var pid: pid_t = 0
    errno = posix_spawn(&pid, "/proc/self/exe", &actions, nil, arguments, environment)
    return errno == 0 ? "ok pid=\(pid)" : failure()
  }

  /// How many other processes have one of `words` in the file at `path`, and how many could be looked at.
  private static func look(for words: [String], at path: (String) -> String) -> String {
    count { process in
      let file = open(path(process), O_RDONLY | O_CLOEXEC)
      guard file >= 0 else { return nil }
      defer { close(file) }
      let text = contents(file)
      return words.contains { text.contains($0) }
    }
  }

  /// How many other processes have a working directory that can be listed and has one of `words` in a name, and how many
  /// could be looked at.
  private static func lookInDirectories(for words: [String]) -> String {
    count { process in
      guard let names = names(in: "/proc/\(process)/cwd") else { return nil }
      return names.contains { name in words.contains { name.contains($0) } }
    }
  }

  private static func count(_ isFound: (String) -> Bool?) -> String {
    guard let entries = names(in: "/proc") else { return failure() }
    let own = String(getpid())
    let findings = entries.filter { $0.first?.isNumber == true && $0 != own }.compactMap(isFound)
    return "ok found=\(findings.count { $0 }) readable=\(findings.count)"
  }

  private static func failure() -> String {
    let names: [Int32: String] = [
      EACCES: "EACCES", EPERM: "EPERM", ENOENT: "ENOENT", EEXIST: "EEXIST", ENOTDIR: "ENOTDIR", EISDIR: "EISDIR",
      ELOOP: "ELOOP", EXDEV: "EXDEV", EROFS: "EROFS", ENOSPC: "ENOSPC", EDQUOT: "EDQUOT", EMLINK: "EMLINK",
      ENAMETOOLONG: "ENAMETOOLONG",
    ]
    return "error \(names[errno] ?? "E\(errno)")"
  }
}
