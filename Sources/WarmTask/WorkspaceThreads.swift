import NIOCore
import NIOPosix
import UserWorkspace

/// Makes workspaces on threads of their own: a call on a network file system blocks for tens of milliseconds, which
/// neither an event loop nor the cooperative pool can afford.
enum WorkspaceThreads {
  private static let pool: NIOThreadPool = {
    let pool = NIOThreadPool(numberOfThreads: 8)
    pool.start()
    return pool
  }()

  /// Starts the threads, if they don't run yet.
  static func start() {
    _ = pool
  }

  /// Prepares `directory` and tells on the event loop; nil is success.
  static func prepare(
    _ directory: String, inside root: String, token: String?, on loop: any EventLoop,
    done: @escaping @Sendable (_ failure: String?) -> Void
  ) {
    pool.submit { _ in
      var failure: String?
      do throws(WorkspaceError) {
        // A session without a token gets an empty JSON object: the program that reads the file finds valid JSON.
        _ = try WorkspacePreparation.prepare(directory: directory, inside: root, token: Array((token ?? "{}").utf8))
      } catch {
        failure = error.description
      }
      loop.execute { [failure] in done(failure) }
    }
  }
}
