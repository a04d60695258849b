package sync

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// create writes a file that does not exist yet, all of it or nothing. That the
// name is free is checked by the file system in the same step that takes it, so
// a file that appeared meanwhile stays as it is.
func create(name string, content []byte) error {
	dir := filepath.Dir(name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	temp, err := os.CreateTemp(dir, ".sync-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.Write(content)
	if err == nil {
		err = temp.Chmod(0o644)
	}
	if closed := temp.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	// A rename would replace what is there; a link does not.
	err = os.Link(temp.Name(), name)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		err = createDirectly(name, content) // a file system without hard links
	}
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s appeared while sync ran and is left as it is: run sync again", name)
	}
	return err
}

func createDirectly(name string, content []byte) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if closed := file.Close(); err == nil {
		err = closed
	}
	return err
}
