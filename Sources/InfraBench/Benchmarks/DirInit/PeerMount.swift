import UserWorkspace

/// The second mount of the measured tree, if one was given.
struct PeerMount: Sendable {
  private let fileSystem: FileSystemInfo?

  /// Makes sure, before anything is measured, that it shows the same tree.
  static func open(
    _ settings: DirInitSettings, _ place: Workplace, _ bench: Bench
  ) async throws(BenchmarkFailure) -> PeerMount {
    guard let path = settings.peerRoot else { return PeerMount(fileSystem: nil) }
    do throws(WorkspaceError) {
      let probed = try await runWriters(count: 1) { seat in
        Result { () throws(WorkspaceError) in
          let probe = try VisibilityProbe(
            tree: place.scratch, peerRoot: path, token: [], timeout: settings.load.timeout,
            shouldStop: { seat.shouldStop })
          return (sharesCache: probe.sharesCache, fileSystem: try FileSystemInfo(path: path))
        }
      }
      guard let peer = try probed.first?.get() else { return PeerMount(fileSystem: nil) }
      if peer.sharesCache {
        bench.note(
          "'\(path)' shares its client's cache with the measured directory: visibility shows nothing about two hosts; "
            + "mount the file system a second time with nosharecache, or run on another host, to measure that")
      }
      return PeerMount(fileSystem: peer.fileSystem)
    } catch {
      guard !Task.isCancelled else { throw BenchmarkFailure("interrupted before anything was measured") }
      throw BenchmarkFailure("--peer-root: \(error)")
    }
  }

  /// For the result: what was seen through it.
  func findings(_ run: DirInitRun) -> [String: JSONValue] {
    guard let fileSystem else { return ["visibility": "not tested (needs a second mount: --peer-root DIR)"] }
    let seen = run.seen
    return [
      "peer": fileSystem.document,
      "visibility": .string(
        "tested: \(seen.all) tokens were read through the peer with the right content, "
          + "\(seen.atFirst) of them at the first look-up"),
    ]
  }
}
