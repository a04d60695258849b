package protos

import (
	"bytes"
	"os"
	"path/filepath"
)

// replace makes a file have the content, at once or not at all, and reports
// whether it had to.
func replace(name string, content []byte) (changed bool, err error) {
	if old, err := os.ReadFile(name); err == nil && bytes.Equal(old, content) {
		return false, nil
	}
	dir := filepath.Dir(name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return false, err
	}
	temp, err := os.CreateTemp(dir, ".protos-*")
	if err != nil {
		return false, err
	}
	defer os.Remove(temp.Name()) // fails once the file has its name
	_, err = temp.Write(content)
	if err == nil {
		err = temp.Chmod(0o644)
	}
	if closed := temp.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(temp.Name(), name)
	}
	return err == nil, err
}
