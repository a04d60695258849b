package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// preamble is what stands before the table: versions, then the rate.
const preamble = `<!-- Written by make e2e-full. DO NOT EDIT. -->

# On a real Kubernetes

What became of calls while the generated flagship was rolled, scaled, killed, drained and robbed of its database: %s, %d nodes.
Images are built by the generated Dockerfiles and objects applied as they are generated, strictly and by server-side apply, into a
namespace that enforces the Pod Security Standard "restricted". PostgreSQL has one database and one user per service.

Callers create %d orders a second, whatever becomes of them: half over gRPC by the generated client, which looks up the
headless Service in the cluster's DNS, half over HTTP/JSON by the name of the Service, with the standard library and without
a second try, every other one of those on a new connection. Where it says so, about 200 a second more look for an order, each on
a connection of its own. Every call counts, from %v before something happens to %v after it. After
each scenario the books of order and payment are compared: no order that a caller was told of is lost, none is paid twice. A scenario that
is not as it should be is played once more, and that is what is shown; one that leaves wrong books is not. "Late" are calls that ran out
of time while for half of it none of this machine's processors was free, which is all of the cluster: the starts of pods take all of them for a moment. More
than one call of twenty is not as it should be. Where the host of this virtual machine took its processors, nothing is known.

| What happens | Takes | Calls | Failed | Late | As it should be |
|---|---|---|---|---|---|
`

// monitored stands before the table of the monitoring.
const monitored = `
Beside it run prometheus-operator, a Prometheus that takes every monitor, and metrics-server.

| What is wanted | So it is |
|---|---|
`

// limits are what this cannot prove.
const limits = `
What this does not show: delay and loss on the network, which would need more than one kernel; a node that dies; IPVS. Nodes share
one network, so NetworkPolicies are enforced on one of them, by kube-router, and are gone again when the scenario ends.
`

// document writes docs/e2e.md.
func document(ctx context.Context, root, kubernetes string, trials []*trial, findings []finding) error {
	versions := []string{"Kubernetes " + kubernetes}
	for _, p := range []struct {
		name string
		args []string
	}{{"containerd", []string{"--version"}}, {"runc", []string{"--version"}}} {
		version, err := versionOf(ctx, p.name, p.args...)
		if err != nil {
			return err
		}
		versions = append(versions, version)
	}
	var out strings.Builder
	fmt.Fprintf(&out, preamble, strings.Join(versions, ", "), nodeCount, rate, warmUp, after)
	for _, t := range trials {
		lost := t.failed()
		fmt.Fprintf(&out, "| %s | %.0f s | %d | %d%s | %d | %s |\n", t.name, t.ended.Sub(t.began).Seconds(), len(t.calls), len(lost), suffix(outcomes(lost)),
			len(t.late()), t.verdict())
	}
	out.WriteString(monitored)
	for _, f := range findings {
		fmt.Fprintf(&out, "| %s | %s |\n", f.what, verdict(f.err))
	}
	out.WriteString(limits)
	return os.WriteFile(filepath.Join(root, "docs/e2e.md"), []byte(out.String()), 0o644)
}

func (t *trial) verdict() string {
	if t.unknown() {
		return "not known"
	}
	return verdict(t.err)
}

func verdict(err error) string {
	if err != nil {
		return "**no**"
	}
	return "yes"
}

// versionOf is the program's name and the number in the first line that it prints of its
// version.
func versionOf(ctx context.Context, program string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, program, args...).Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", program, err)
	}
	line, _, _ := strings.Cut(string(out), "\n")
	for field := range strings.FieldsSeq(line) {
		if number := strings.TrimPrefix(field, "v"); number != "" && number[0] >= '0' && number[0] <= '9' {
			return program + " " + number, nil
		}
	}
	return "", fmt.Errorf("%s has no version in %q", program, line)
}
