package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const cosignatureType = 4

// witness verifies C2SP cosignatures, which the note package does not know, and remembers their times.
type witness struct {
	name  string
	key   ed25519.PublicKey
	times map[string]uint64
}

func (w *witness) Name() string { return w.name }

func (w *witness) KeyHash() uint32 {
	hash := sha256.Sum256(append([]byte(w.name+"\n\x04"), w.key...))
	return binary.BigEndian.Uint32(hash[:])
}

func (w *witness) Verify(text, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	at := binary.BigEndian.Uint64(signature)
	w.times[w.name] = at
	return at < 1<<63 && ed25519.Verify(w.key, cosigned(at, text), signature[8:])
}

func cosigned(at uint64, text []byte) []byte {
	return append([]byte(fmt.Sprintf("cosignature/v1\ntime %d\n", at)), text...)
}

// verifier reads a key line of a log, or of a witness.
func verifier(vkey string, times map[string]uint64) (note.Verifier, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, fmt.Errorf("no key: %q", vkey)
	}
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(key) != 1+ed25519.PublicKeySize || key[0] != cosignatureType {
		return note.NewVerifier(vkey)
	}
	w := &witness{parts[0], key[1:], times}
	if fmt.Sprintf("%08x", w.KeyHash()) != parts[1] {
		return nil, fmt.Errorf("key id of %q", vkey)
	}
	return w, nil
}

func openNote(data []byte, vkeys []string, times map[string]uint64) (*note.Note, error) {
	var verifiers []note.Verifier
	for _, vkey := range vkeys {
		v, err := verifier(vkey, times)
		if err != nil {
			return nil, err
		}
		verifiers = append(verifiers, v)
	}
	return note.Open(data, note.VerifierList(verifiers...))
}

// keys makes a key pair.
func keys(read func(any) error) (any, error) {
	var name string
	if err := read(&name); err != nil {
		return nil, err
	}
	secret, public, err := note.GenerateKey(rand.Reader, name)
	return map[string]string{"secret": secret, "public": public}, err
}

// sign makes a signed note of a text.
func sign(read func(any) error) (any, error) {
	var q struct{ Secret, Text string }
	if err := read(&q); err != nil {
		return nil, err
	}
	signer, err := note.NewSigner(q.Secret)
	if err != nil {
		return nil, err
	}
	return note.Sign(&note.Note{Text: q.Text}, signer)
}

// cosign makes a witness's signature line for a checkpoint's text.
func cosign(read func(any) error) (any, error) {
	var q struct {
		Name, Text string
		Seed       []byte
		At         uint64
	}
	if err := read(&q); err != nil {
		return nil, err
	}
	private := ed25519.NewKeyFromSeed(q.Seed)
	w := &witness{name: q.Name, key: private.Public().(ed25519.PublicKey)}
	signed := binary.BigEndian.AppendUint32(nil, w.KeyHash())
	signed = binary.BigEndian.AppendUint64(signed, q.At)
	signed = append(signed, ed25519.Sign(private, cosigned(q.At, []byte(q.Text)))...)
	return fmt.Sprintf("— %s %s", q.Name, base64.StdEncoding.EncodeToString(signed)), nil
}

// open verifies a note: its text, who of the known keys signed it, and when the witnesses among them did.
func open(read func(any) error) (any, error) {
	var q struct {
		Note  []byte
		Vkeys []string
	}
	if err := read(&q); err != nil {
		return nil, err
	}
	times := map[string]uint64{}
	opened, err := openNote(q.Note, q.Vkeys, times)
	if err != nil {
		return nil, err
	}
	signers := []string{}
	for _, signature := range opened.Sigs {
		signers = append(signers, fmt.Sprintf("%s+%08x", signature.Name, signature.Hash))
	}
	return map[string]any{"text": opened.Text, "signers": signers, "times": times}, nil
}

// receipt verifies a C2SP tlog-proof of an entry from scratch and gives the log's size.
func receipt(read func(any) error) (any, error) {
	var q struct {
		Receipt, Entry []byte
		Vkeys          []string
	}
	if err := read(&q); err != nil {
		return nil, err
	}
	head, checkpoint, found := bytes.Cut(q.Receipt, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if !found || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return nil, fmt.Errorf("no receipt")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	if err != nil {
		return nil, err
	}
	var proof tlog.RecordProof
	for _, line := range lines[2:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		proof = append(proof, hash)
	}
	opened, err := openNote(checkpoint, q.Vkeys, map[string]uint64{})
	if err != nil {
		return nil, err
	}
	tree, err := parseCheckpoint(opened.Text)
	if err != nil {
		return nil, err
	}
	return tree.N, tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(q.Entry))
}

func parseCheckpoint(text string) (tree tlog.Tree, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 {
		return tree, fmt.Errorf("no checkpoint")
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return tree, err
	}
	tree.Hash, err = tlog.ParseHash(lines[2])
	return tree, err
}
