import UserWorkspace

extension FileSystemInfo {
  /// For results: what the times are times of.
  var document: JSONValue {
    var facts: [String: JSONValue] = [
      "type": .string(type), "source": source.map { .string($0) } ?? .null,
      "mountPoint": mountPoint.map { .string($0) } ?? .null, "options": .string(options.joined(separator: ",")),
      "network": .bool(isNetwork),
    ]
    if isNFS {
      facts["lookupCache"] = .string(lookupCache ?? "all (default)")
      facts["attributeCache"] =
        attributeCache.isEmpty ? "3 s to 60 s (default)" : .string(attributeCache.joined(separator: ","))
    }
    return .object(facts)
  }

  /// What a reader of the times must know of it.
  var notes: [String] {
    var notes = note.map { [$0] } ?? []
    if isNetwork {
      notes.append(
        "switch and read are done by the client that made the directories, whose caches know them: a task on another "
          + "host starts with cold ones")
    }
    return notes
  }
}
