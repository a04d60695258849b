package config

import (
	"os"
	"path/filepath"

	"github.com/protosvc/protosvc/internal/reload"
)

// Hash reads the files of src. One that cannot be read counts as such.
func (src Source) Hash() reload.Hash {
	var all [][]byte
	for _, path := range src.files() {
		text, err := os.ReadFile(path)
		if err != nil {
			text = nil
		}
		all = append(all, text)
	}
	return reload.HashOf(all...)
}

// Names are those of the files without their folder, the lowest layer first.
func (src Source) Names() (all []string) {
	for _, path := range src.files() {
		all = append(all, filepath.Base(path))
	}
	return all
}
