package import ArgumentParser
import FoundationEssentials

/// An option of a tool, as its parser knows it.
package struct ToolOption: Sendable, Equatable {
  package enum Kind: Sendable, Equatable {
    /// There or not.
    case flag
    /// With one value.
    case value
    /// With a value each time.
    case repeatable
  }

  /// The long name, without dashes.
  package var name: String
  package var kind: Kind

  package init(_ name: String, _ kind: Kind) {
    self.name = name
    self.kind = kind
  }

  /// All options of a command that have a long name, by what ArgumentParser tells generators of documentation.
  package static func all(of command: any ParsableCommand.Type) -> [ToolOption] {
    // A test sees to it that every tool's description is understood.
    guard let dump = try? JSONDecoder().decode(Dump.self, from: Data(command._dumpHelp().utf8)) else { return [] }
    return dump.command.arguments.compactMap { argument in
      guard argument.kind != "positional", let name = argument.names?.first(where: { $0.kind == "long" })?.name else {
        return nil
      }
      return ToolOption(name, argument.kind == "flag" ? .flag : argument.isRepeating ? .repeatable : .value)
    }
  }

  /// The parts of `ToolInfoV0` that are needed here.
  private struct Dump: Decodable {
    struct Command: Decodable {
      var arguments: [Argument]
    }

    struct Argument: Decodable {
      struct Name: Decodable {
        var kind: String
        var name: String
      }

      var kind: String
      var isRepeating: Bool
      var names: [Name]?
    }

    var command: Command
  }
}
