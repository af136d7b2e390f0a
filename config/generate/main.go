// Command generate writes config/schema.json from the code.
package main

import (
	"fmt"
	"os"

	"segue/config"
)

func main() {
	schema, err := config.Schema()
	if err == nil {
		err = os.WriteFile("schema.json", schema, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}
