// Command crosscheck answers questions about logs with golang.org/x/mod/sumdb, code that we did not write, so
// that the tests can hold our own answers against it.
//
// Its argument names the question; standard input is the question as JSON, standard output the answer as JSON.
// Bytes are base64. It ends with status 1, and says why on standard error, where the question itself makes no
// sense or something does not verify.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

// answers gives the function for each question; it reads its question by the function that it is handed.
var answers = map[string]func(read func(any) error) (any, error){
	"roots":         roots,
	"records":       records,
	"trees":         trees,
	"check-records": checkRecords,
	"check-trees":   checkTrees,
	"tiles":         tiles,
	"read":          read,
	"keys":          keys,
	"sign":          sign,
	"cosign":        cosign,
	"open":          open,
	"receipt":       receipt,
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 2 || answers[os.Args[1]] == nil {
		return fmt.Errorf("usage: crosscheck QUESTION <JSON")
	}
	answer, err := answers[os.Args[1]](json.NewDecoder(os.Stdin).Decode)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(answer)
}
