package bubble_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/protosvc/protosvc/svc/internal/bubble"
)

// Many timers that are due when they are made, so that whoever reads one runs it:
// on more than one processor the race detector crashes within a few rounds.
func TestTimersAtOnce(t *testing.T) {
	for range 5 {
		bubble.Test(t, func(t *testing.T) {
			var readers sync.WaitGroup
			for range 8 {
				readers.Go(func() {
					for range 3000 {
						select {
						case <-time.After(0):
						case <-t.Context().Done():
						}
					}
				})
			}
			readers.Wait()
		})
	}
}

// Nobody else in svc opens a bubble of synctest.
func TestOnlyWay(t *testing.T) {
	call := []byte("synctest" + ".Test(")
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if bytes.Contains(text, call) {
			t.Errorf("%s calls synctest.Test, which crashes the race detector: use bubble.Test", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
