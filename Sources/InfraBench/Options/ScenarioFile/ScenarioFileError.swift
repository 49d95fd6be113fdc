/// Why a scenario file, or an entry of it, can't be used. Values are not in it.
struct ScenarioFileError: Error {
  /// A sentence that goes on after the option's name.
  var reason: String
}
