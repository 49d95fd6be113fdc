import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Base64;
import java.util.Scanner;
import org.HdrHistogram.Histogram;

/** A line "lowest highest digits shift value:count …" in, a line of base64 out: HdrHistogram for Java. */
public class Encode {
  public static void main(String[] arguments) {
    Scanner input = new Scanner(System.in);
    while (input.hasNextLine()) {
      String[] words = input.nextLine().split(" ");
      Histogram histogram =
          new Histogram(Long.parseLong(words[0]), Long.parseLong(words[1]), Integer.parseInt(words[2]));
      for (String word : Arrays.copyOfRange(words, 4, words.length)) {
        String[] pair = word.split(":");
        histogram.recordValueWithCount(Long.parseLong(pair[0]), Long.parseLong(pair[1]));
      }
      int shift = Integer.parseInt(words[3]);
      if (shift > 0) histogram.shiftValuesLeft(shift);
      if (shift < 0) histogram.shiftValuesRight(-shift);
      ByteBuffer buffer = ByteBuffer.allocate(histogram.getNeededByteBufferCapacity());
      int length = histogram.encodeIntoCompressedByteBuffer(buffer);
      System.out.println(Base64.getEncoder().encodeToString(Arrays.copyOf(buffer.array(), length)));
    }
  }
}
