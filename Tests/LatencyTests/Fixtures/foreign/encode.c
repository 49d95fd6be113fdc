/* A line "lowest highest digits shift value:count …" in, a line of hexadecimal out: HdrHistogram_c. It shifts nothing. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hdr_histogram.h>
#include <hdr_histogram_log.h>

int main(void)
{
    static char line[1 << 20];
    while (fgets(line, sizeof line, stdin))
    {
        struct hdr_histogram *histogram = NULL;
        uint8_t *bytes = NULL;
        size_t length = 0, i;
        char *word = strtok(line, " \n");
        int64_t header[4];
        for (i = 0; i < 4; i++, word = strtok(NULL, " \n")) header[i] = atoll(word);
        if (hdr_init(header[0], header[1], (int) header[2], &histogram)) return 1;
        for (; word; word = strtok(NULL, " \n"))
        {
            hdr_record_values(histogram, atoll(word), atoll(strchr(word, ':') + 1));
        }
        if (hdr_encode_compressed(histogram, &bytes, &length)) return 1;
        for (i = 0; i < length; i++) printf("%02x", bytes[i]);
        printf("\n");
    }
    return 0;
}
