import Glibc
import ProcessControl
import Synchronization
import Testing

/// The note is the process's: these run one after another.
@Suite(.serialized) struct FileDescriptorShortageTests {
  private final class Count: Sendable {
    let value = Atomic<Int>(0)
  }

  @Test(arguments: [EMFILE, ENFILE]) func aShortageIsNotedAndToldOnce(errno: Int32) {
    let count = Count()
    FileDescriptorLimit.watch { count.value.add(1, ordering: .relaxed) }
    defer { FileDescriptorLimit.watch(nil) }
    #expect(!FileDescriptorLimit.wasExceeded)
    #expect(FileDescriptorLimit.isExceeded(errno: errno) && FileDescriptorLimit.isExceeded(errno: errno))
    #expect(FileDescriptorLimit.wasExceeded && count.value.load(ordering: .relaxed) == 1)
  }

  @Test(arguments: [ENOENT, ECONNREFUSED, 0]) func anotherErrorIsNone(errno: Int32) {
    FileDescriptorLimit.watch { Issue.record("no shortage") }
    defer { FileDescriptorLimit.watch(nil) }
    #expect(!FileDescriptorLimit.isExceeded(errno: errno) && !FileDescriptorLimit.wasExceeded)
    #expect(!FileDescriptorLimit.isReached)
  }

  @Test func theLimitItselfIsSeen() async {
    await #expect(processExitsWith: .success) {
      var limit = rlimit(rlim_cur: 64, rlim_max: 64)
      guard setrlimit(__rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue)), &limit) == 0 else { exit(2) }
      while open("/dev/null", O_RDONLY) >= 0 {}
      exit(FileDescriptorLimit.isReached && FileDescriptorLimit.wasExceeded ? 0 : 1)
    }
  }
}
