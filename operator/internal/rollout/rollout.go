// Package rollout decides what is to be done next so that all pods of a service have a
// configuration in force, or none of them has. It remembers nothing: what has happened so
// far is in what the pods say of themselves, so an operator that was killed goes on where
// it was.
package rollout

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/protosvc/protosvc/internal/reload"
)

// How long a rollout takes its time.
const (
	// The first pod has a configuration in force for this long before others get it.
	canary = 3 * time.Second
	// Each further step is looked at for this long.
	pause = time.Second
	// A configuration with which a pod loses its readiness within this time is to blame.
	trial = 10 * time.Second
	// How soon to look again while pods are waited for.
	soon = 500 * time.Millisecond
	// A step is this share of the pods: one in so many.
	share = 4
)

// Pod is one that takes calls, or did before a reload. One that has started and was never
// ready is none yet: whatever it waits for, it has the files that it found.
type Pod struct {
	Name    string
	State   reload.State
	InForce time.Duration // how long the configuration is, at the pod's own clock
	Ready   bool
	Nudged  string // the hash of the files that its kubelet was last asked to deliver
}

// View is all that is known of a service.
type View struct {
	Wanted     string // the hash of the files that are to be in force
	Applied    string // of those that all pods had in force last
	Rejected   string // of those that were given up
	Checked    string // of those that a pod has found good
	Restarting string // of those that the pods are restarted for
	Stuck      string // why pods that were started are not ready; "" where they are, or may be yet
	Pods       []Pod
	Silent     []string // what pods that are ready say instead of an answer
}

// Step is what is to be done next.
type Step struct {
	Action Action
	Pods   []string
	Reason string        // of Reject and Wait
	After  time.Duration // when to look again; 0 is whenever something changes
}

// Action is what a step does.
type Action string

// What a step can do.
const (
	Done   Action = "done"   // all pods have it in force
	Wait   Action = "wait"   // nothing, for a while
	Check  Action = "check"  // ask a pod whether it would take the files
	Nudge  Action = "nudge"  // ask kubelets to deliver the files now
	Load   Action = "load"   // have pods put the files in force
	Undo   Action = "undo"   // have pods go back
	Reject Action = "reject" // give up, and say why
	Revert Action = "revert" // restart no more pods for what was given up
	Settle Action = "settle" // nothing: what was given up is nowhere in force
)

// Next decides.
func (v View) Next() Step {
	if len(v.Pods)+len(v.Silent) == 0 {
		return Step{Action: Wait, Reason: "no pod is ready"}
	}
	on, off := v.split()
	if v.Rejected == v.Wanted {
		return v.back(on)
	}
	if reason := v.fault(on, off); reason != "" {
		return Step{Action: Reject, Reason: reason}
	}
	if len(v.Silent) > 0 {
		return Step{Action: Wait, Reason: strings.Join(v.Silent, "; "), After: pause}
	}
	if v.Restarting == v.Wanted {
		if len(off) > 0 {
			return Step{Action: Wait, Reason: fmt.Sprintf("%d of %d pods are to be restarted", len(off), len(v.Pods)), After: soon}
		}
	} else if len(off) > 0 {
		return v.forward(on, off)
	}
	if youngest := youngest(on); youngest < trial && len(off) == 0 && v.Restarting != v.Wanted {
		return Step{Action: Wait, Reason: "all pods have it in force, and are watched", After: min(pause, trial-youngest)}
	}
	return Step{Action: Done}
}

// split parts the pods by what they have in force.
func (v View) split() (on, off []Pod) {
	for _, p := range v.Pods {
		if p.State.Files == v.Wanted {
			on = append(on, p)
		} else {
			off = append(off, p)
		}
	}
	return on, off
}

// fault is why the files are to be given up; "" where they are not.
func (v View) fault(on, off []Pod) string {
	if v.Stuck != "" && v.Restarting == v.Wanted && v.Applied != v.Wanted { // else it is not for the files
		return v.Stuck
	}
	for _, p := range off { // a refusal from before the check may be that of a restart
		if r := p.State.Refusal; r != nil && r.Files == v.Wanted && v.Checked == v.Wanted && v.Restarting != v.Wanted {
			return fmt.Sprintf("pod %s: %s", p.Name, r.Reason)
		}
	}
	if slices.ContainsFunc(off, func(p Pod) bool { return !p.Ready }) {
		return "" // something else is wrong, too: this says nothing of the files
	}
	for _, p := range on {
		if !p.Ready && p.InForce < trial && p.reloaded() {
			return fmt.Sprintf("pod %s is not ready any more with it", p.Name)
		}
	}
	return ""
}

// forward brings the files to one pod, and then to more.
func (v View) forward(on, off []Pod) Step {
	if v.Checked != v.Wanted {
		return Step{Action: Check, Pods: []string{off[0].Name}}
	}
	if slices.ContainsFunc(v.Pods, func(p Pod) bool { return !p.Ready }) {
		return Step{Action: Wait, Reason: "not all pods are ready", After: pause}
	}
	watched := pause
	if len(on) == 1 {
		watched = canary
	}
	if len(on) > 0 && youngest(on) < watched {
		return Step{Action: Wait, Reason: fmt.Sprintf("%d of %d pods have it in force, and are watched", len(on), len(v.Pods)), After: soon}
	}
	size := 1
	if len(on) > 0 {
		size = (len(v.Pods) + share - 1) / share
	}
	var there, late []string
	for _, p := range off {
		if p.State.Found == v.Wanted {
			there = append(there, p.Name)
		} else if p.Nudged != v.Wanted {
			late = append(late, p.Name)
		}
	}
	switch {
	case len(late) > 0:
		return Step{Action: Nudge, Pods: late, After: soon}
	case len(there) == 0:
		return Step{Action: Wait, Reason: "the kubelet has not delivered it yet", After: soon}
	}
	return Step{Action: Load, Pods: there[:min(size, len(there))], After: soon}
}

// reloaded reports whether it has what it has by a reload and not from its start.
func (p Pod) reloaded() bool { return p.State.Generation > 1 }

// back has the pods go back that have what was given up in force. One that started with it
// has nothing to go back to.
func (v View) back(on []Pod) Step {
	if v.Restarting == v.Wanted {
		return Step{Action: Revert, After: soon}
	}
	var names []string
	for _, p := range on {
		if p.reloaded() {
			names = append(names, p.Name)
		}
	}
	if len(names) > 0 {
		return Step{Action: Undo, Pods: names, After: soon}
	}
	return Step{Action: Settle}
}

// youngest is for how long the pod has it in force that got it last.
func youngest(on []Pod) time.Duration {
	least := trial
	for _, p := range on {
		least = min(least, p.InForce)
	}
	return least
}

// String is for logs.
func (s Step) String() string {
	text := string(s.Action)
	if len(s.Pods) > 0 {
		text += " " + strings.Join(s.Pods, ", ")
	}
	if s.Reason != "" {
		text += ": " + s.Reason
	}
	return text
}
