import CDirectoryInit
import Glibc
import Latency
import UserWorkspace

/// What making one user's directory costs: by `DirectoryWriter` (bench-dirinit), by `WorkspacePreparation` (the task's own way),
/// and by the same system calls as `DirectoryWriter`'s in C, alternately in one directory. Prints a JSON line per round.
///
///     benchmark-directory-init [DIRECTORY [ROUNDS]]      (default: /dev/shm, which is a tmpfs)
@main
struct Main {
  private static let usersPerRound = 1000
  /// As long as a token of the product is.
  private static let token = [UInt8](repeating: UInt8(ascii: "t"), count: 200)

  static func main() throws {
    #if DEBUG
      print("this is a debug build, whose figures mean nothing: build with -c release")
    #else
      let arguments = CommandLine.arguments.dropFirst()
      let rounds = arguments.dropFirst().first.flatMap { Int($0) } ?? 5
      let bench = try DirectoryInitBench(parent: arguments.first ?? "/dev/shm", token: token)
      defer { bench.removeRoot() }
      // Unmeasured: caches of names and inodes fill.
      _ = try bench.round(users: usersPerRound)
      for _ in 0..<rounds { print(try bench.round(users: usersPerRound).json) }
    #endif
  }
}

/// A round's figures: medians, in ns.
struct RoundFigures {
  var c = LatencyHistogram()
  var cCall = LatencyHistogram()
  var swift = LatencyHistogram()
  var swiftCall = LatencyHistogram()
  var preparation = LatencyHistogram()

  var json: String {
    let fields = [
      ("cNs", c), ("cCallNs", cCall), ("swiftNs", swift), ("swiftCallNs", swiftCall), ("preparationNs", preparation),
    ]
    return "{" + fields.map { "\"\($0)\":\($1.value(atPercentile: 50))" }.joined(separator: ",") + "}"
  }
}

final class DirectoryInitBench {
  private let root: String
  private let descriptor: Int32
  private let writer: DirectoryWriter
  private let token: [UInt8]

  /// Makes a fresh directory in `parent`.
  init(parent: String, token: [UInt8]) throws {
    var template = Array("\(parent)/infrabench-XXXXXX".utf8CString)
    guard let path = mkdtemp(&template) else { throw CallFailed(call: "mkdtemp", error: errno) }
    root = String(cString: path)
    descriptor = cdirectory_open(root)
    writer = try DirectoryWriter(tree: CreatedDirectories(root: root), token: token)
    self.token = token
  }

  deinit { close(descriptor) }

  func removeRoot() { rmdir(root) }

  /// Makes each user in all three ways, each time in another order, and removes them.
  func round(users: Int) throws -> RoundFigures {
    var figures = RoundFigures()
    for number in 0..<users {
      for way in 0..<3 {
        switch (number + way) % 3 {
        case 0: try createInC("c-\(number)", &figures)
        case 1: try create(UserDirectoryName("s-\(number)"), &figures)
        default: try prepare("p-\(number)", &figures)
        }
      }
    }
    for number in 0..<users {
      for name in ["c-\(number)", "p-\(number)"] { try check("remove", cdirectory_remove(descriptor, name)) }
      _ = try writer.remove(UserDirectoryName("s-\(number)"))
    }
    return figures
  }

  private func createInC(_ name: String, _ figures: inout RoundFigures) throws {
    var duration: UInt64 = 0
    let (error, call) = name.withCString { name in
      timed { cdirectory_create(descriptor, name, token, token.count, &duration) }
    }
    try check("create", error)
    figures.c.record(duration)
    figures.cCall.record(call)
  }

  private func create(_ user: UserDirectoryName, _ figures: inout RoundFigures) throws {
    let (times, call) = try timed { try writer.create(user) }
    figures.swift.record(times.create.duration)
    figures.swiftCall.record(call)
  }

  private func prepare(_ name: String, _ figures: inout RoundFigures) throws {
    let (_, call) = try timed {
      try WorkspacePreparation.prepare(directory: "\(root)/\(name)", inside: root, token: token)
    }
    figures.preparation.record(call)
  }

  private func timed<Result>(_ body: () throws -> Result) rethrows -> (result: Result, length: Nanoseconds) {
    let begin = MonotonicClock.now()
    let result = try body()
    return (result, MonotonicClock.now() - begin)
  }

  private func check(_ call: String, _ error: Int32) throws {
    if error != 0 { throw CallFailed(call: call, error: error) }
  }
}

struct CallFailed: Error, CustomStringConvertible {
  let call: String
  let error: Int32
  var description: String { "\(call): \(String(cString: strerror(error)))" }
}
