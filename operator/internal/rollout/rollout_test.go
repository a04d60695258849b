package rollout

import (
	"fmt"
	"testing"
	"time"

	"github.com/protosvc/protosvc/internal/reload"
)

const (
	older = "old"
	newer = "new"
)

// pod is ready, has files in force for some time, and finds others.
func pod(name, inForce, found string, ago time.Duration) Pod {
	return Pod{Name: name, State: reload.State{Generation: 2, Files: inForce, Found: found}, InForce: ago, Ready: true}
}

func change(p Pod, f func(*Pod)) Pod { f(&p); return p }

func unready(p *Pod) { p.Ready = false }

func started(p *Pod) { p.State.Generation = 1 }

func refused(p *Pod) { p.State.Refusal = &reload.Refusal{Files: newer, Reason: "config.yaml:1:1: no"} }

func nudged(p *Pod) { p.Nudged = newer }

func TestNext(t *testing.T) {
	const long = time.Hour
	for _, test := range []struct {
		name string
		view View
		want string
	}{
		{"no pod", View{Wanted: newer}, "wait: no pod is ready 0s"},
		{"all have it", View{Wanted: newer, Pods: []Pod{pod("a", newer, newer, long), pod("b", newer, newer, long)}}, "done 0s"},
		{"an edit", View{Wanted: newer, Pods: []Pod{pod("a", older, older, long), pod("b", older, older, long)}}, "check a 0s"},
		{"an edit that a pod started with", View{Wanted: newer, Pods: []Pod{pod("a", newer, newer, long), pod("b", older, older, long)}}, "check b 0s"},
		{"checked, not delivered", View{Wanted: newer, Checked: newer, Pods: []Pod{pod("a", older, older, long), pod("b", older, newer, long)}}, "nudge a 500ms"},
		{"asked for", View{Wanted: newer, Checked: newer, Pods: []Pod{change(pod("a", older, older, long), nudged)}},
			"wait: the kubelet has not delivered it yet 500ms"},
		{"delivered", View{Wanted: newer, Checked: newer, Pods: []Pod{pod("a", older, newer, long), pod("b", older, newer, long)}}, "load a 500ms"},
		{"one is watched", View{Wanted: newer, Checked: newer, Pods: []Pod{pod("a", newer, newer, 2*time.Second), pod("b", older, newer, long)}},
			"wait: 1 of 2 pods have it in force, and are watched 500ms"},
		{"one is well", View{Wanted: newer, Checked: newer, Pods: []Pod{pod("a", newer, newer, 3*time.Second), pod("b", older, newer, long), pod("c", older, newer, long)}},
			"load b 500ms"},
		{"steps", View{Wanted: newer, Checked: newer, Pods: []Pod{
			pod("a", newer, newer, long), pod("b", older, newer, long), pod("c", older, newer, long), pod("d", older, newer, long), pod("e", older, newer, long)}},
			"load b, c 500ms"},
		{"a step is watched", View{Wanted: newer, Checked: newer, Pods: []Pod{
			pod("a", newer, newer, long), pod("b", newer, newer, 900*time.Millisecond), pod("c", older, newer, long)}},
			"wait: 2 of 3 pods have it in force, and are watched 500ms"},
		{"all are watched", View{Wanted: newer, Checked: newer, Pods: []Pod{pod("a", newer, newer, long), pod("b", newer, newer, 9500*time.Millisecond)}},
			"wait: all pods have it in force, and are watched 500ms"},
		{"refused", View{Wanted: newer, Checked: newer, Pods: []Pod{change(pod("a", older, newer, long), refused), pod("b", older, newer, long)}},
			"reject: pod a: config.yaml:1:1: no 0s"},
		{"refused before it was checked", View{Wanted: newer, Pods: []Pod{change(pod("a", older, newer, long), refused)}}, "check a 0s"},
		{"readiness is lost", View{Wanted: newer, Checked: newer, Pods: []Pod{change(pod("a", newer, newer, time.Second), unready), pod("b", older, newer, long)}},
			"reject: pod a is not ready any more with it 0s"},
		{"readiness is lost by all", View{Wanted: newer, Checked: newer, Pods: []Pod{change(pod("a", newer, newer, time.Second), unready), change(pod("b", older, newer, long), unready)}},
			"wait: not all pods are ready 1s"},
		{"readiness is lost later", View{Wanted: newer, Checked: newer, Pods: []Pod{change(pod("a", newer, newer, long), unready), pod("b", older, newer, long)}},
			"wait: not all pods are ready 1s"},
		{"a new pod is not ready", View{Wanted: newer, Checked: newer, Pods: []Pod{change(change(pod("a", newer, newer, time.Second), unready), started), pod("b", older, newer, long)}},
			"wait: not all pods are ready 1s"},
		{"given up", View{Wanted: newer, Rejected: newer, Pods: []Pod{pod("a", newer, newer, long), pod("b", older, newer, long), change(pod("c", newer, newer, long), started)}},
			"undo a 500ms"},
		{"given up and nowhere in force", View{Wanted: newer, Rejected: newer, Pods: []Pod{pod("a", older, newer, long)}}, "settle 0s"},
		{"one does not answer", View{Wanted: newer, Silent: []string{"pod b: refused"}, Pods: []Pod{pod("a", newer, newer, long)}}, "wait: pod b: refused 1s"},
		{"none answers", View{Wanted: newer, Silent: []string{"pod a: refused", "pod b: refused"}}, "wait: pod a: refused; pod b: refused 1s"},
		{"one does not answer, and another has lost its readiness", View{Wanted: newer, Checked: newer, Silent: []string{"pod b: refused"}, Pods: []Pod{change(pod("a", newer, newer, time.Second), unready)}},
			"reject: pod a is not ready any more with it 0s"},
		{"given up while pods are restarted", View{Wanted: newer, Rejected: newer, Restarting: newer, Pods: []Pod{pod("a", newer, newer, long)}}, "revert 500ms"},
		{"restarted", View{Wanted: newer, Checked: newer, Restarting: newer, Pods: []Pod{change(pod("a", older, newer, long), refused), change(pod("b", newer, newer, time.Second), started)}},
			"wait: 1 of 2 pods are to be restarted 500ms"},
		{"all are restarted", View{Wanted: newer, Checked: newer, Restarting: newer, Pods: []Pod{change(pod("b", newer, newer, time.Second), started)}}, "done 0s"},
		{"restarted and stuck", View{Wanted: newer, Checked: newer, Restarting: newer, Stuck: "pod c does not start", Pods: []Pod{pod("a", older, newer, long)}},
			"reject: pod c does not start 0s"},
		{"stuck after all had it", View{Wanted: newer, Applied: newer, Restarting: newer, Stuck: "pod c does not start", Pods: []Pod{pod("a", newer, newer, long)}},
			"done 0s"},
		{"stuck for another reason", View{Wanted: newer, Checked: newer, Restarting: older, Stuck: "pod c does not start", Pods: []Pod{pod("a", older, newer, long)}},
			"load a 500ms"},
	} {
		if got := test.view.Next(); fmt.Sprintf("%v %v", got, got.After) != test.want {
			t.Errorf("%s: %v %v, want %s", test.name, got, got.After, test.want)
		}
	}
}

// Whatever happens to pods on the way, a rollout ends: all of them have the files, or none
// has that could go back.
func TestEnds(t *testing.T) {
	for _, bad := range []string{"", "b"} { // a pod that loses its readiness
		v := View{Wanted: newer}
		for _, name := range []string{"a", "b", "c", "d", "e"} {
			v.Pods = append(v.Pods, pod(name, older, older, time.Hour))
		}
		for n := 0; ; n++ {
			if n == 1000 {
				t.Fatalf("bad %q: no end: %+v", bad, v)
			}
			step := v.Next()
			if step.Action == Done || step.Action == Settle {
				break
			}
			for i := range v.Pods {
				p := &v.Pods[i]
				p.InForce += max(step.After, 100*time.Millisecond)
				for _, name := range step.Pods {
					if name != p.Name {
						continue
					}
					switch step.Action {
					case Check:
						v.Checked = newer
					case Nudge:
						p.Nudged, p.State.Found = newer, newer
					case Load:
						p.State.Files, p.InForce, p.Ready = newer, 0, name != bad
						p.State.Generation++
					case Undo:
						p.State.Files, p.Ready = older, true
					}
				}
			}
			if step.Action == Reject {
				v.Rejected = newer
			}
		}
		want := newer
		if bad != "" {
			want = older
		}
		for _, p := range v.Pods {
			if p.State.Files != want {
				t.Errorf("bad %q: pod %s has %s in force, want %s", bad, p.Name, p.State.Files, want)
			}
		}
	}
}
