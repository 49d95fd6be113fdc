import FoundationEssentials
import Glibc
import Results

/// The folder that the shards of one load share: how they tell one another that they are ready, and when to begin.
///
/// | file | who writes it, and when |
/// |---|---|
/// | `ready/3` | shard 3, when its users are connected |
/// | `begin/start` | the coordinator, when all are ready: the instant of the begin |
/// | `begin/stop` | the coordinator, after a signal: all shards end, and write their results |
/// | `progress/3` | shard 3, twice a second |
/// | `bursts/2/ready-3`, `bursts/2/start` | before every further burst: shard 3; shard 0, when all are ready |
///
/// Files are written under another name and renamed, so that nobody reads a part of one. They are looked for by listing
/// their folder: a client of NFS remembers for up to a minute that a name was not there, and reads a folder's list anew.
struct FleetFolder: Sendable {
  let path: String

  static let stop = "stop"
  static let start = "start"

  /// Makes the folder's own folders; those that are there stay.
  func prepare() throws(ResultWriteError) {
    for name in ["ready", "begin", "progress", "bursts"] { try ResultWriter.makeDirectories("\(path)/\(name)") }
  }

  /// The names in one of its folders; empty where it can't be read.
  func names(in folder: String) -> Set<String> {
    guard let directory = opendir("\(path)/\(folder)") else { return [] }
    defer { closedir(directory) }
    var names: Set<String> = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if !name.hasPrefix("."), !name.hasSuffix(".tmp") { names.insert(name) }
    }
    return names
  }

  func write(_ text: String, to name: String) throws(ResultWriteError) {
    try ResultWriter.replace("\(path)/\(name)", with: text)
  }

  /// The text of a small file; nil where it is not there, or no text.
  func text(of name: String) -> String? {
    guard let contents = try? FileContents("\(path)/\(name)", ordinaryOnly: true) else { return nil }
    return String(validating: contents.bytes, as: UTF8.self)
  }

  /// The instant in one of its files; nil where there is none.
  func instant(in name: String) -> Date? {
    text(of: name).flatMap {
      try? Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse($0.filter { !$0.isWhitespace })
    }
  }

  /// Reads and writes small records.
  func record<Value: Decodable>(_ kind: Value.Type, in name: String) -> Value? {
    text(of: name).flatMap { try? JSONDecoder().decode(kind, from: Data($0.utf8)) }
  }

  func write(_ record: some Encodable, to name: String) throws(ResultWriteError) {
    // The records have no values that can't be encoded.
    try write((try? ResultCoding.encode(record)) ?? "", to: name)
  }
}

/// What a shard says when its users are connected.
struct ShardReadiness: Codable, Sendable, Equatable {
  var index: Int
  var of: Int
  var hostname: String
  var pid: Int32
  var version: String
  /// Its clock against that of the folder; nil where it could not be told.
  var clock: ResultDocument.ClockError?
}

/// How far a shard is.
struct ShardProgress: Codable, Sendable, Equatable {
  var done: UInt64 = 0
  var failed: UInt64 = 0
  var dropped: UInt64 = 0
  var waiting: UInt64 = 0
  var inFlight: UInt64 = 0
  /// In ns; nil without a sample.
  var p99: UInt64?
}
