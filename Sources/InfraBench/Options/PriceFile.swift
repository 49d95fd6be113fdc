import Planning
import Results
import TextFormatting

extension OptionReader {
  private static let priceKeys = [
    "runningInstancePerHour", "stoppedInstancePerHour", "storagePerInstanceMonth", "warmTaskPerHour",
  ]

  /// Prices of a JSON file, such as `{"currency": "$", "runningInstancePerHour": 0.0208, "stoppedInstancePerHour":
  /// 0.0008, "storagePerInstanceMonth": 0.9, "warmTaskPerHour": 0}`. Each price has to be there: none is assumed.
  mutating func priceFile(_ path: String) -> Prices? {
    let name = "'\(PlainText.line(path))'"
    guard !path.isEmpty, !path.utf8.contains(0) else {
      problems.add("--prices", "write lab, or a file's path")
      return nil
    }
    let members: [StrictJSON.Member]
    do {
      let value = try StrictJSON.parse(FileContents(path, ordinaryOnly: true).bytes)
      guard case .object(let found) = value else {
        problems.add("--prices", "\(name) is no JSON object")
        return nil
      }
      members = found
    } catch let failure as StrictJSON.Failure {
      problems.add("--prices", "\(name): \(failure)")
      return nil
    } catch {
      problems.add("--prices", "\(name) \(error)")
      return nil
    }
    return prices(members, in: name)
  }

  private mutating func prices(_ members: [StrictJSON.Member], in name: String) -> Prices? {
    var prices: [String: Double] = [:]
    var currency = ""
    var isRight = true
    func shown(_ key: String) -> String { PlainText.line(key, limit: 40) }
    for member in members {
      let place = "\(name), line \(member.line)"
      if members.count(where: { $0.key == member.key }) > 1 {
        problems.add("--prices", "\(place): '\(shown(member.key))' is there more than once")
        isRight = false
      } else if member.key == "currency" {
        if case .string(let text) = member.value, !text.isEmpty, text.utf8.count <= 12, PlainText.line(text) == text {
          currency = text
        } else {
          problems.add("--prices", "\(place): currency is a text of 1 to 12 bytes, such as \"$\"")
          isRight = false
        }
      } else if !Self.priceKeys.contains(member.key) {
        let nearest = NearestName.near(member.key, in: Self.priceKeys + ["currency"]).map { ": did you mean '\($0)'?" }
        problems.add("--prices", "\(place): '\(shown(member.key))' is no price\(nearest ?? "")")
        isRight = false
      } else if case .number(let digits) = member.value, let number = Double(digits), (0...1e6).contains(number) {
        prices[member.key] = number
      } else {
        problems.add("--prices", "\(place): \(member.key) is a number from 0 to 1000000")
        isRight = false
      }
    }
    let missing = Self.priceKeys.filter { key in !members.contains { $0.key == key } }
    if !missing.isEmpty {
      problems.add(
        "--prices", "\(name) lacks \(PlainText.list(missing, "and")): write 0 where nothing is paid")
      isRight = false
    }
    guard isRight else { return nil }
    let numbers = Self.priceKeys.map { prices[$0] ?? 0 }
    return Prices(
      currency: currency, runningInstancePerHour: numbers[0], stoppedInstancePerHour: numbers[1],
      storagePerInstanceMonth: numbers[2], warmTaskPerHour: numbers[3])
  }
}
