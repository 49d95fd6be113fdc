package import ArgumentParser

/// Options from a file. ``ScenarioFile`` has read it before the parser sees the arguments.
package struct ScenarioOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A JSON object with any of these options by long name, such as {\"count\": 100, \"hold\": true}. An option given "
        + "here wins over the file, the file over the environment.", valueName: "file"))
  package var scenario: String?

  package init() {}
}
