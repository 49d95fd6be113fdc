// A line "lowest highest digits shift value:count …" in, a line of base64 out: HdrHistogramJS. It shifts nothing.
const { build, encodeIntoCompressedBase64 } = require(process.env.HDR_HISTOGRAM_JS);

for (const line of require("fs").readFileSync(0, "utf8").trim().split("\n")) {
  const words = line.split(" ");
  const histogram = build({
    lowestDiscernibleValue: Number(words[0]),
    highestTrackableValue: Number(words[1]),
    numberOfSignificantValueDigits: Number(words[2]),
    bitBucketSize: 64,
  });
  for (const word of words.slice(4)) {
    const [value, count] = word.split(":").map(Number);
    histogram.recordValueWithCount(value, count);
  }
  console.log(encodeIntoCompressedBase64(histogram));
}
