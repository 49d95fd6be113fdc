import Gateway
import Testing

@testable import InfraBench
@testable import Results

@Suite struct DefaultUserIDTests {
  @Test func itDependsOnBothNamesAndIsValid() {
    let names = ["", "a", "b", "build-01", "build-02", "worker.example", "äöü"]
    var prefixes: Set<String> = []
    for host in names {
      for user in names {
        let prefix = DefaultUserID.prefix(host: host, user: user)
        #expect(UserID.isValid(prefix) && prefix.count == 14 && prefix.hasPrefix("test-user-"))
        prefixes.insert(prefix)
      }
    }
    #expect(prefixes.count == names.count * names.count)
    #expect(DefaultUserID.prefix(host: "ab", user: "c") != DefaultUserID.prefix(host: "a", user: "bc"))
  }

  /// A value that every later version must give, too.
  @Test func itStaysTheSame() {
    #expect(DefaultUserID.prefix(host: "host", user: "user") == "test-user-1eux")
  }
}
