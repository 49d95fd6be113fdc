// A line "lowest highest digits shift value:count …" in, a line of base64 out: hdrhistogram-go. It shifts nothing.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/HdrHistogram/hdrhistogram-go"
)

func number(text string) int64 {
	value, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 1<<20)
	for input.Scan() {
		words := strings.Fields(input.Text())
		histogram := hdrhistogram.New(number(words[0]), number(words[1]), int(number(words[2])))
		for _, word := range words[4:] {
			pair := strings.Split(word, ":")
			if err := histogram.RecordValues(number(pair[0]), number(pair[1])); err != nil {
				panic(err)
			}
		}
		text, err := histogram.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
		if err != nil {
			panic(err)
		}
		fmt.Println(string(text))
	}
}
