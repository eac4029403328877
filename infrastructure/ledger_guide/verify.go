// Checks an exported ledger with golang.org/x/mod/sumdb: go run verify.go FOLDER 'KEYS, ONE A LINE'
//
// Every tile and every entry against the checkpoint, every checkpoint in checkpoints/ against the tree and
// the next one, every receipt in receipts/. Exit status 1 names what is wrong.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const width = 256

type checkpoint struct {
	file string
	tree tlog.Tree
}

type tiles struct{ folder string }

func (t tiles) Height() int { return 8 }

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range wanted {
		data, err := os.ReadFile(filepath.Join(t.folder, path(fmt.Sprint(tile.L), tile.N, tile.W)))
		if errors.Is(err, os.ErrNotExist) && tile.W < width {
			data, err = os.ReadFile(filepath.Join(t.folder, path(fmt.Sprint(tile.L), tile.N, width)))
			if err == nil && len(data) == width*tlog.HashSize {
				data = data[:tile.W*tlog.HashSize]
			}
		}
		if err != nil {
			return nil, err
		}
		found = append(found, data)
	}
	return found, nil
}

func main() {
	if len(os.Args) != 3 {
		fail(errors.New("usage: verify FOLDER 'KEYS, ONE A LINE'"))
	}
	folder := os.Args[1]
	var keys []note.Verifier
	for _, line := range strings.Fields(os.Args[2]) {
		key, err := note.NewVerifier(line)
		must(err)
		keys = append(keys, key)
	}
	verifiers := note.VerifierList(keys...)
	newest, err := open(filepath.Join(folder, "checkpoint"), verifiers)
	must(err)
	fmt.Printf("checkpoint: %d entries, root %v\n", newest.tree.N, newest.tree.Hash)
	hashes := tlog.TileHashReader(newest.tree, tiles{folder})
	must(checkTiles(newest.tree.N, hashes))
	must(checkEntries(folder, newest.tree.N, hashes))
	must(checkKept(folder, newest, verifiers, hashes))
	must(checkReceipts(folder, newest.tree.N, verifiers))
}

// open verifies a checkpoint under one of the log's keys and reads it.
func open(file string, verifiers note.Verifiers) (checkpoint, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return checkpoint{}, err
	}
	return parse(file, data, verifiers)
}

func parse(file string, data []byte, verifiers note.Verifiers) (checkpoint, error) {
	opened, err := note.Open(data, verifiers)
	if err != nil {
		return checkpoint{}, fmt.Errorf("%s: %w", file, err)
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != opened.Sigs[0].Name {
		return checkpoint{}, fmt.Errorf("%s: not a checkpoint of this log", file)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 {
		return checkpoint{}, fmt.Errorf("%s: no size", file)
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return checkpoint{}, fmt.Errorf("%s: %w", file, err)
	}
	return checkpoint{file, tlog.Tree{N: size, Hash: root}}, nil
}

// checkTiles reads every hash of every tile; the reader refuses a tile that does not lead to the root.
func checkTiles(size int64, hashes tlog.HashReader) error {
	count := 0
	for level := 0; size>>(8*uint(level)) > 0; level++ {
		for first, end := int64(0), size>>(8*uint(level)); first < end; first += width {
			var indexes []int64
			for n := first; n < least(end, first+width); n++ {
				indexes = append(indexes, tlog.StoredHashIndex(8*level, n))
			}
			if _, err := hashes.ReadHashes(indexes); err != nil {
				return fmt.Errorf("tile %s: %w", path(fmt.Sprint(level), first/width, len(indexes)), err)
			}
			count++
		}
	}
	fmt.Printf("%d tiles lead to the root\n", count)
	return nil
}

// checkEntries hashes every entry and compares it with its leaf.
func checkEntries(folder string, size int64, hashes tlog.HashReader) error {
	for first := int64(0); first < size; first += width {
		entries, file, err := bundle(folder, first/width, size)
		if err != nil {
			return err
		}
		var indexes []int64
		for n := range entries {
			indexes = append(indexes, tlog.StoredHashIndex(0, first+int64(n)))
		}
		leaves, err := hashes.ReadHashes(indexes)
		if err != nil {
			return err
		}
		for n, entry := range entries {
			position := fmt.Sprintf(`"idx":%d,`, first+int64(n))
			if tlog.RecordHash(entry) != leaves[n] || !bytes.Contains(entry, []byte(position)) {
				return fmt.Errorf("%s: entry %d is not what the tree holds", file, first+int64(n))
			}
		}
	}
	fmt.Printf("%d entries are the leaves\n", size)
	return nil
}

// checkKept proves that each smaller checkpoint is a beginning of the next.
func checkKept(folder string, newest checkpoint, verifiers note.Verifiers, hashes tlog.HashReader) error {
	files, err := filepath.Glob(filepath.Join(folder, "checkpoints", "*"))
	if err != nil {
		return err
	}
	kept := []checkpoint{newest}
	for _, file := range files {
		if strings.HasSuffix(file, ".tsr") {
			continue
		}
		one, err := open(file, verifiers)
		if err != nil {
			return err
		}
		kept = append(kept, one)
	}
	sort.SliceStable(kept, func(i, j int) bool { return kept[i].tree.N < kept[j].tree.N })
	for n, one := range kept {
		if one.tree.N > newest.tree.N {
			return fmt.Errorf("%s: larger than the log", one.file)
		}
		root, err := tlog.TreeHash(one.tree.N, hashes)
		if err != nil {
			return err
		}
		if root != one.tree.Hash {
			return fmt.Errorf("%s: another root than the entries give", one.file)
		}
		if n == 0 || kept[n-1].tree.N == 0 {
			continue
		}
		proof, err := tlog.ProveTree(one.tree.N, kept[n-1].tree.N, hashes)
		if err != nil {
			return err
		}
		if err := tlog.CheckTree(proof, one.tree.N, one.tree.Hash, kept[n-1].tree.N, kept[n-1].tree.Hash); err != nil {
			return fmt.Errorf("%s: %w", one.file, err)
		}
	}
	fmt.Printf("%d checkpoints, each goes on from the one before\n", len(kept))
	return nil
}

// checkReceipts proves the entry of each receipt, under the receipt's own checkpoint.
func checkReceipts(folder string, size int64, verifiers note.Verifiers) error {
	files, err := filepath.Glob(filepath.Join(folder, "receipts", "*.tlog-proof"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := checkReceipt(folder, file, size, verifiers); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	fmt.Printf("%d receipts\n", len(files))
	return nil
}

func checkReceipt(folder, file string, size int64, verifiers note.Verifiers) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	head, signed, found := strings.Cut(string(data), "\n\n")
	if !found {
		return errors.New("no checkpoint")
	}
	lines := strings.Split(head, "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("not a receipt")
	}
	lines = lines[1:]
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		lines = lines[1:]
	}
	if len(lines) == 0 {
		return errors.New("no index")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "index "), 10, 64)
	if err != nil || index < 0 || index >= size {
		return errors.New("an index outside the export")
	}
	var proof tlog.RecordProof
	for _, line := range lines[1:] {
		decoded, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(decoded) != tlog.HashSize {
			return errors.New("not a hash: " + line)
		}
		var hash tlog.Hash
		copy(hash[:], decoded)
		proof = append(proof, hash)
	}
	under, err := parse(file, []byte(signed), verifiers)
	if err != nil {
		return err
	}
	entries, _, err := bundle(folder, index/width, size)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof, under.tree.N, under.tree.Hash, index, tlog.RecordHash(entries[index%width]))
}

// bundle reads the entries of a bundle in a log of a size, each after its length in two bytes.
func bundle(folder string, index, size int64) ([][]byte, string, error) {
	count := int(least(width, size-index*width))
	file := filepath.Join(folder, path("entries", index, count))
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, file, err
	}
	var entries [][]byte
	for len(data) >= 2 && len(data) >= 2+int(binary.BigEndian.Uint16(data)) {
		end := 2 + int(binary.BigEndian.Uint16(data))
		entries = append(entries, data[2:end])
		data = data[end:]
	}
	if len(data) > 0 || len(entries) != count {
		return nil, file, fmt.Errorf("%s: not a bundle of %d entries", file, count)
	}
	return entries, file, nil
}

// path is where a tile stands: tile/<level>/<number>, a partial one with .p/<width>.
func path(level string, number int64, filled int) string {
	name := fmt.Sprintf("%03d", number%1000)
	for number /= 1000; number > 0; number /= 1000 {
		name = fmt.Sprintf("x%03d/%s", number%1000, name)
	}
	if filled < width {
		name += fmt.Sprintf(".p/%d", filled)
	}
	return "tile/" + level + "/" + name
}

func least(one, other int64) int64 {
	if one < other {
		return one
	}
	return other
}

func must(err error) {
	if err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "WRONG:", err)
	os.Exit(1)
}
