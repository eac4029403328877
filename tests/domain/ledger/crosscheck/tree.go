package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const tileHeight = 8

// stored holds all hashes of a log in tlog's own numbering.
type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index >= int64(len(s)) {
			return nil, fmt.Errorf("hash %d of %d", index, len(s))
		}
		hashes[i] = s[index]
	}
	return hashes, nil
}

// load hashes the entries of a file, each behind its length in two bytes, big-endian.
func load(path string) (stored, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var log stored
	for n := int64(0); len(data) > 0; n++ {
		size := int(binary.BigEndian.Uint16(data))
		hashes, err := tlog.StoredHashes(n, data[2:2+size], log)
		if err != nil {
			return nil, err
		}
		log, data = append(log, hashes...), data[2+size:]
	}
	return log, nil
}

// question is about the log whose entries are in a file; what the pairs are, the functions below say.
type question struct {
	Entries string
	Sizes   []int64
	Pairs   [][2]int64
}

func ask(read func(any) error) (question, stored, error) {
	var q question
	if err := read(&q); err != nil {
		return q, nil, err
	}
	log, err := load(q.Entries)
	return q, log, err
}

// roots gives the root at each of the sizes.
func roots(read func(any) error) (any, error) {
	q, log, err := ask(read)
	if err != nil {
		return nil, err
	}
	answer := make([]tlog.Hash, len(q.Sizes))
	for i, size := range q.Sizes {
		if answer[i], err = tlog.TreeHash(size, log); err != nil {
			return nil, err
		}
	}
	return answer, nil
}

// records gives the inclusion proof for each (index, size).
func records(read func(any) error) (any, error) {
	q, log, err := ask(read)
	if err != nil {
		return nil, err
	}
	answer := make([]tlog.RecordProof, len(q.Pairs))
	for i, pair := range q.Pairs {
		if answer[i], err = tlog.ProveRecord(pair[1], pair[0], log); err != nil {
			return nil, err
		}
	}
	return answer, nil
}

// trees gives the consistency proof for each (old, new).
func trees(read func(any) error) (any, error) {
	q, log, err := ask(read)
	if err != nil {
		return nil, err
	}
	answer := make([]tlog.TreeProof, len(q.Pairs))
	for i, pair := range q.Pairs {
		if answer[i], err = tlog.ProveTree(pair[1], pair[0], log); err != nil {
			return nil, err
		}
	}
	return answer, nil
}

type recordClaim struct {
	Index, Size int64
	Leaf, Root  tlog.Hash
	Proof       tlog.RecordProof
}

// checkRecords says of each inclusion proof whether tlog accepts it.
func checkRecords(read func(any) error) (any, error) {
	var claims []recordClaim
	if err := read(&claims); err != nil {
		return nil, err
	}
	answer := make([]bool, len(claims))
	for i, c := range claims {
		answer[i] = tlog.CheckRecord(c.Proof, c.Size, c.Root, c.Index, c.Leaf) == nil
	}
	return answer, nil
}

type treeClaim struct {
	Old, New int64
	OldRoot  tlog.Hash `json:"old_root"`
	NewRoot  tlog.Hash `json:"new_root"`
	Proof    tlog.TreeProof
}

// checkTrees says of each consistency proof whether tlog accepts it.
func checkTrees(read func(any) error) (any, error) {
	var claims []treeClaim
	if err := read(&claims); err != nil {
		return nil, err
	}
	answer := make([]bool, len(claims))
	for i, c := range claims {
		answer[i] = tlog.CheckTree(c.Proof, c.New, c.NewRoot, c.Old, c.OldRoot) == nil
	}
	return answer, nil
}

// c2spPath is where C2SP tlog-tiles publishes a tile: tlog's own path without the height.
func c2spPath(t tlog.Tile) string {
	return strings.Replace(t.Path(), fmt.Sprintf("tile/%d/", tileHeight), "tile/", 1)
}

// tiles gives the hash tiles that a log publishes as it grows, for each (old, new): the widest of each only.
func tiles(read func(any) error) (any, error) {
	q, log, err := ask(read)
	if err != nil {
		return nil, err
	}
	answer := make([]map[string][]byte, len(q.Pairs))
	for i, pair := range q.Pairs {
		widest := map[tlog.Tile]int{}
		for _, tile := range tlog.NewTiles(tileHeight, pair[0], pair[1]) {
			width := tile.W
			tile.W = 0
			if width > widest[tile] {
				widest[tile] = width
			}
		}
		answer[i] = map[string][]byte{}
		for tile, width := range widest {
			tile.W = width
			if answer[i][c2spPath(tile)], err = tlog.ReadTileData(tile, log); err != nil {
				return nil, err
			}
		}
	}
	return answer, nil
}

// folder reads a published ledger for tlog.TileHashReader.
type folder string

func (f folder) Height() int { return tileHeight }

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		var err error
		if data[i], err = os.ReadFile(filepath.Join(string(f), c2spPath(tile))); err != nil {
			return nil, err
		}
	}
	return data, nil
}

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

// read proves out of a published folder, whose tiles tlog holds against the root: inclusion of each of the
// indexes, and that the log begins with each of the older sizes. Each proof is checked again, because the tlog of
// Debian 12 leaves some tiles out where the tree's right edge has several hashes in one of them.
func read(read func(any) error) (any, error) {
	var q struct {
		Folder        string
		Size          int64
		Root          tlog.Hash
		Indexes, Olds []int64
	}
	if err := read(&q); err != nil {
		return nil, err
	}
	reader := tlog.TileHashReader(tlog.Tree{N: q.Size, Hash: q.Root}, folder(q.Folder))
	var answer struct {
		Records []tlog.RecordProof `json:"records"`
		Trees   []tlog.TreeProof   `json:"trees"`
	}
	for _, index := range q.Indexes {
		proof, err := tlog.ProveRecord(q.Size, index, reader)
		if err != nil {
			return nil, err
		}
		leaf, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
		if err != nil {
			return nil, err
		}
		if err := tlog.CheckRecord(proof, q.Size, q.Root, index, leaf[0]); err != nil {
			return nil, err
		}
		answer.Records = append(answer.Records, proof)
	}
	for _, old := range q.Olds {
		proof, err := tlog.ProveTree(q.Size, old, reader)
		if err != nil {
			return nil, err
		}
		root, err := tlog.TreeHash(old, reader)
		if err != nil {
			return nil, err
		}
		if err := tlog.CheckTree(proof, q.Size, q.Root, old, root); err != nil {
			return nil, err
		}
		answer.Trees = append(answer.Trees, proof)
	}
	return answer, nil
}
