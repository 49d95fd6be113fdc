/// The suite's version and build, which all tools share.
package enum SuiteVersion {
  /// The version of all tools and libraries in this package.
  package static let version = "0.2.0"

  /// `debug` or `release`.
  package static var build: String {
    #if DEBUG
      "debug"
    #else
      "release"
    #endif
  }
}
