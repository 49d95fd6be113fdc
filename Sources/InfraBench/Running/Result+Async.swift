extension Result {
  /// The outcome of asynchronous work that may throw; `Result` has an initializer for synchronous work only.
  init(catching work: () async throws(Failure) -> Success) async {
    do throws(Failure) {
      self = .success(try await work())
    } catch {
      self = .failure(error)
    }
  }
}
