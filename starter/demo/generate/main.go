// Command generate writes examples/day.ndjson anew, byte for byte the same for the
// same seed.
package main

import (
	"flag"
	"fmt"
	"os"

	"segue/starter/demo/day"
)

func main() {
	seed := flag.Uint64("seed", day.DefaultSeed, "what chance begins with")
	out := flag.String("out", "day.ndjson", "file to write")
	flag.Parse()
	generated := day.Generate(*seed)
	if err := os.WriteFile(*out, generated.NDJSON(), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
	fmt.Println(generated.Summary())
}
