package size_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

const repository = "../.."

// dockerfile is the generated Dockerfile of a service, as far as it decides what
// is in the image.
type dockerfile struct {
	build string // the command that makes the binary, for a shell
	users int    // bytes of /etc/passwd and /etc/group
}

func readDockerfile(t *testing.T, service string) dockerfile {
	t.Helper()
	name := fmt.Sprintf("%s/generated/deploy/%s/Dockerfile", repository, service)
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	joined := strings.ReplaceAll(string(text), "\\\n", " ")
	build := regexp.MustCompile(`CGO_ENABLED=0 go build [^&\n]*`).FindAllString(joined, -1)
	if len(build) != 1 {
		t.Fatalf("%s has %d commands that begin with CGO_ENABLED=0 go build, want 1", name, len(build))
	}
	for _, flag := range []string{" -trimpath ", ` -tags `, ` -ldflags "`, " -o /out/" + service + " "} {
		if !strings.Contains(build[0], flag) {
			t.Fatalf("%s: %q is not in %q", name, flag, build[0])
		}
	}
	d := dockerfile{build: strings.TrimSpace(build[0])}
	for _, written := range regexp.MustCompile(`echo '([^']*)' > /rootfs/etc/(?:passwd|group)`).FindAllStringSubmatch(joined, -1) {
		d.users += len(written[1]) + len("\n")
	}
	if d.users == 0 {
		t.Fatalf("%s writes no /etc/passwd", name)
	}
	return d
}

// command is the build with another output, and a linker that also tells on
// standard output why each symbol is in the binary.
func (d dockerfile) command(service, output string) string {
	return strings.NewReplacer(
		"-o /out/"+service+" ", "-o '"+output+"' ",
		`-ldflags "`, `-ldflags "-dumpdep `,
	).Replace(d.build)
}
