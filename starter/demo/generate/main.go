// Command generate writes examples/day.ndjson. The same seed gives the same bytes.
package main

import (
	"flag"
	"fmt"
	"os"

	"segue/starter/demo/day"
)

func main() {
	seed := flag.Uint64("seed", day.DefaultSeed, "seed of the random numbers")
	out := flag.String("out", "day.ndjson", "file to write")
	flag.Parse()
	generated := day.Generate(*seed)
	if err := os.WriteFile(*out, generated.NDJSON(), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
	fmt.Println(generated.Summary())
}
