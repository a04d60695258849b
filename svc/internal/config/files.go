package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
)

// Hash stands for what the files of a Source held at one time.
type Hash [sha256.Size]byte

// String is what a person compares.
func (h Hash) String() string { return hex.EncodeToString(h[:6]) }

// Float is for a metric: the bits that a float64 holds exactly, as String shows them.
func (h Hash) Float() (n float64) {
	for _, b := range h[:6] {
		n = n*256 + float64(b)
	}
	return n
}

// Hash reads the files of src. One that cannot be read counts as such.
func (src Source) Hash() (h Hash) {
	all := sha256.New()
	for _, path := range src.files() {
		text, err := os.ReadFile(path)
		fmt.Fprintf(all, "%d %t\n", len(text), err == nil)
		all.Write(text)
	}
	return Hash(all.Sum(nil))
}
