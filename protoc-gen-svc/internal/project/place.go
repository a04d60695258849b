package project

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ignored may be in the folder of a new project: nothing of it is written here.
var ignored = []string{".DS_Store", ".git", ".hg", ".idea", ".jj", ".svn", ".vscode", "LICENSE"}

// checkEmpty refuses a folder that holds somebody's work.
func checkEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var there []string
	for _, e := range entries {
		if !slices.Contains(ignored, e.Name()) {
			there = append(there, e.Name())
		}
	}
	if len(there) == 0 {
		return nil
	}
	const most = 5
	if more := len(there) - most; more > 0 {
		there = append(there[:most], fmt.Sprintf("%d more", more))
	}
	return fmt.Errorf("folder %q is not empty, it has %s (want an empty one: --dir=DIR names another)", dir, strings.Join(there, ", "))
}

// nearest is the folder, or the first above it that exists: files that are made
// there can be moved to their place without a copy.
func nearest(dir string) (string, error) {
	for {
		_, err := os.Stat(dir)
		if !errors.Is(err, fs.ErrNotExist) {
			return dir, err
		}
		dir = filepath.Dir(dir)
	}
}

// place moves everything from one folder to another.
func place(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if err := placeAll(from, to, names); err != nil {
		return fmt.Errorf("%w; nothing is written, run init again in an empty folder", err)
	}
	return nil
}

// placeAll moves files and folders from one folder to another. Where a name is taken
// meanwhile, what was moved is taken back.
func placeAll(from, to string, names []string) (err error) {
	var placed []string
	defer func() {
		if err != nil {
			for _, name := range placed {
				err = errors.Join(err, os.RemoveAll(name))
			}
		}
	}()
	for _, name := range names {
		source, target := filepath.Join(from, name), filepath.Join(to, name)
		info, err := os.Stat(source)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		if err := move(source, target, info.IsDir()); err != nil {
			return err
		}
		placed = append(placed, target)
	}
	return nil
}

// move never replaces anything. For folders a rename sees to that; for files it
// would not, while opening a new one does.
func move(from, to string, folder bool) error {
	if folder {
		return os.Rename(from, to)
	}
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}
