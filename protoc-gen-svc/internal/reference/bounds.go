package reference

import (
	"fmt"
	"time"

	"github.com/protosvc/protosvc/internal/defaults"
)

// bound is what a server allows whatever the contract says.
type bound struct{ what, value, why string }

// bounds are all of them, with the numbers of the runtime.
var bounds = []bound{
	{"A connection becomes one, or sends the headers of a request", seconds(defaults.Handshake),
		"Silent connections hold a place each."},
	{"A request arrives whole", fmt.Sprintf("%s and a second for each %d KiB of `limits.message_size`: %s for 4 MiB", seconds(defaults.Handshake), defaults.UploadRate>>10, seconds(defaults.Upload(defaults.MessageBytes))),
		"A body of one byte in ten seconds is memory that somebody else needs. The rate is that of a slow mobile link. The deadline of a gRPC call begins with its headers, and mostly comes first."},
	{"Requests that are on their way, over gRPC and HTTP/JSON together", fmt.Sprintf("1/%d of GOMEMLIMIT, and one request at the least; bodies of HTTP/JSON count twice, since there may be a copy of them while they arrive", defaults.ArrivingShare),
		"Beyond it whoever holds the most goes: an HTTP/JSON request with status 429, a gRPC connection with all its calls. Requests of ordinary size hold little and go on. Without GOMEMLIMIT there is no bound."},
	{"Open calls and streams, all together", "`limits.concurrency`, `limits.connections` and the `concurrency` of each method that streams, added",
		"Beyond it the connection with the most of them is closed, and for a quarter of a second, until its streams are gone, each that opens more and has a sixteenth of them."},
	{"Streams of health, reflection and load reports", "`limits.connections` of each, divided fairly between connections",
		"Every client may watch the health; none may do so for all others."},
	{"Calls that a connection cancels", fmt.Sprintf("%d at once, %d a second in the long run", defaults.CancelsAtOnce, defaults.CancelsPerSecond),
		"A client that opens streams and resets them waits for no answer, so no bound on open streams holds it back. Then its connection is closed."},
	{"Life of a gRPC connection", fmt.Sprintf("%s, 10 %% more or less, and then as long as the longest call may last", minutes(defaults.ConnectionAge)),
		"Clients find new replicas and spread evenly. No call is cut by it."},
	{"A gRPC client says nothing", fmt.Sprintf("a ping after %s, and %s for its answer", minutes(defaults.KeepaliveTime), seconds(defaults.KeepaliveTimeout)),
		"A peer that vanished without a word holds what it had."},
	{"An HTTP connection between requests", minutes(defaults.IdleConnection),
		"Longer than most proxies keep theirs for, so that it is not they who meet a closed one."},
	{"Connections of the admin port", fmt.Sprint(defaults.AdminConnections),
		"Probes, a scraper or two and people need ten. One more has the place of the oldest that asks nothing, so that there is always one for a probe."},
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.0f s", d.Seconds()) }
func minutes(d time.Duration) string { return fmt.Sprintf("%.0f min", d.Minutes()) }

// bounds writes the section of what no annotation says.
func (w *writer) bounds() {
	w.printf("\n## What holds without an annotation\n\n%s\n\n| What | Bound | Why |\n|---|---|---|\n",
		paragraph("One client without credentials must not take a replica down, nor keep others from it. Beside the [limits](#limits) of the contract these hold for every service; they cannot be configured."))
	for _, b := range bounds {
		w.printf("| %s | %s | %s |\n", b.what, b.value, b.why)
	}
}
