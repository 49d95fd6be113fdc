/// What `bench-dirinit` was asked to do, checked.
package struct DirInitSettings: Sendable {
  /// Two ordinary user ids, one to make a directory and one to try to get at it.
  package struct UserIDs: Sendable, Equatable {
    package var owner: UInt32
    package var intruder: UInt32
  }

  /// Count, duration, users; its concurrency is the number of writers.
  package var load: LoadSettings
  /// Where users' directories go; nil is a fresh temporary directory.
  package var root: String?
  /// A second mount of the same tree.
  package var peerRoot: String?
  /// Whether a creation includes writing it to stable storage.
  package var syncs: Bool
  /// Whether the directories stay.
  package var keeps: Bool
  package var isolationIDs: UserIDs?

  var parameters: [String: JSONValue] {
    var parameters = load.parameters
    parameters["concurrency"] = nil
    parameters["writers"] = .int(Int64(load.concurrency))
    parameters["root"] = root.map { .string($0) } ?? "temporary"
    parameters["peerRoot"] = peerRoot.map { .string($0) } ?? .null
    parameters["fsync"] = .bool(syncs)
    parameters["keep"] = .bool(keeps)
    parameters["asUid"] = isolationIDs.map { .string("\($0.owner),\($0.intruder)") } ?? .null
    return parameters
  }
}
