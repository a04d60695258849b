package transcode

import "testing"

// protojson writes spaces in some builds only.
func TestCompact(t *testing.T) {
	in := `{"a": "b, \" c\\", "d e": [1, 2], "f": {}}`
	if got, want := string(compact([]byte(in))), `{"a":"b, \" c\\","d e":[1,2],"f":{}}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
