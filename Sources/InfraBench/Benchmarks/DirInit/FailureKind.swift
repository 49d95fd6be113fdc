import Glibc
import UserWorkspace

/// What results count a failure on a file system by: the name of its errno, or what the suite itself found wrong.
enum FailureKind {
  static func of(_ error: WorkspaceError) -> String {
    switch error.code {
    case .contentDiffers: "content_differs"
    case .foreignFiles: "foreign_files"
    case .differentTree: "different_tree"
    case .timeout: "timeout"
    default: error.systemError.map { names[$0] ?? "errno_\($0)" } ?? error.code.rawValue
    }
  }

  private static let names: [Int32: String] = [
    EACCES: "EACCES", EAGAIN: "EAGAIN", EBUSY: "EBUSY", EDQUOT: "EDQUOT", EEXIST: "EEXIST", EFBIG: "EFBIG",
    EINVAL: "EINVAL", EIO: "EIO", EISDIR: "EISDIR", ELOOP: "ELOOP", EMFILE: "EMFILE", EMLINK: "EMLINK",
    ENAMETOOLONG: "ENAMETOOLONG", ENFILE: "ENFILE", ENODEV: "ENODEV", ENOENT: "ENOENT", ENOLCK: "ENOLCK",
    ENOMEM: "ENOMEM", ENOSPC: "ENOSPC", ENOSYS: "ENOSYS", ENOTCONN: "ENOTCONN", ENOTDIR: "ENOTDIR",
    ENOTEMPTY: "ENOTEMPTY", ENOTSUP: "ENOTSUP", EPERM: "EPERM", EROFS: "EROFS", ESTALE: "ESTALE",
    ETIMEDOUT: "ETIMEDOUT", EXDEV: "EXDEV",
  ]
}
