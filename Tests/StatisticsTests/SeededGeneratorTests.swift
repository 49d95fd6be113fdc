import Testing

@testable import Statistics

struct SeededGeneratorTests {
  /// The first numbers of seed 1234567, as Rosetta Code lists them for implementations of SplitMix64 to compare
  /// (https://rosettacode.org/wiki/Pseudo-random_numbers/Splitmix64).
  @Test func theNumbersAreThoseOfSplitMix64() {
    var generator = SeededGenerator(seed: 1_234_567)
    let numbers = (0..<5).map { _ in generator.next() }
    #expect(
      numbers == [
        6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423, 4_593_380_528_125_082_431,
        16_408_922_859_458_223_821,
      ])
  }

  @Test func anyNumberCanBeHadWithoutThoseBeforeIt() {
    var generator = SeededGenerator(seed: .max)
    for count in 0..<100 as Range<UInt64> {
      var later = SeededGenerator(seed: .max, after: count)
      #expect(later.next() == generator.next())
    }
  }

  @Test func fractionsAreTheHighestBitsOfTheNumbers() {
    var (numbers, fractions) = (SeededGenerator(seed: 7), SeededGenerator(seed: 7))
    for _ in 0..<100 {
      let fraction = fractions.fraction()
      #expect(fraction == Double(numbers.next() >> 11) / 9_007_199_254_740_992 && (0..<1).contains(fraction))
    }
  }
}
