package controller

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// assets is a folder with etcd and kube-apiserver: make operator says which.
const assets = "KUBEBUILDER_ASSETS"

var (
	apiserver *rest.Config // of a real API server
	binary    string       // of the service user
)

func TestMain(m *testing.M) {
	code, err := testMain(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func testMain(m *testing.M) (code int, err error) {
	if os.Getenv(assets) == "" {
		return m.Run(), nil // the tests that want it say so
	}
	folder, err := os.MkdirTemp("", "operator")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	binary = filepath.Join(folder, "user")
	build := exec.Command("go", "build", "-o", binary, "./generated/deploy/user/cmd/user")
	build.Dir = "../../.."
	if out, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%v: %w\n%s", build, err, out)
	}
	ctrl.SetLogger(logr.Discard())
	environment := &envtest.Environment{BinaryAssetsDirectory: os.Getenv(assets)}
	if apiserver, err = environment.Start(); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, environment.Stop()) }()
	return m.Run(), nil
}

// What is in every ConfigMap of these tests.
const (
	base  = "limits: {concurrency: 100}\n"
	token = "only-the-operators-know"
	stuck = "# nothing starts with this"
)

// fleet is a generated service on an API server without nodes: its pods are processes of
// this machine, and what a kubelet and the controller of Deployments would do is done here.
type fleet struct {
	t         *testing.T
	client    client.WithWatch
	namespace string

	mu      sync.Mutex
	members map[string]*member
	stop    context.CancelFunc
	done    sync.WaitGroup
}

// member is a pod.
type member struct {
	name, address, folder string
	cmd                   *exec.Cmd
	gone                  chan struct{}     // closed when the process has ended
	made                  map[string]string // the annotations of the template that it was made from
}

// ports are not those of the generated contract, since other services of this machine may
// have those.
const admin = 39091

// newFleet starts a service with so many pods.
func newFleet(t *testing.T, replicas int) *fleet {
	t.Helper()
	if apiserver == nil {
		t.Skipf("%s is not set: make operator tests this with a real API server", assets)
	}
	c, err := client.NewWithWatch(apiserver, client.Options{Scheme: scheme.Scheme})
	must(t, err)
	f := &fleet{t: t, client: c, members: map[string]*member{}}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "shop-"}}
	must(t, c.Create(t.Context(), namespace))
	f.namespace = namespace.Name
	must(t, c.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: f.meta("user"), Data: map[string]string{mainFile: base}}))
	must(t, c.Create(t.Context(), &corev1.Secret{ObjectMeta: f.meta("user-admin"), StringData: map[string]string{tokenKey: token + "\n"}}))
	must(t, c.Create(t.Context(), &corev1.Secret{ObjectMeta: f.meta("user-environment"), StringData: map[string]string{"level": "info", "other": "1"}}))
	must(t, c.Create(t.Context(), &appsv1.Deployment{ObjectMeta: f.meta("user"), Spec: appsv1.DeploymentSpec{
		Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app.kubernetes.io/name": "user"}},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: f.meta("").Labels}, Spec: f.spec()},
	}}))
	for range replicas {
		f.add(nil)
	}
	ctx, cancel := context.WithCancel(context.Background())
	f.stop = cancel
	f.done.Go(func() { f.controllers(ctx) })
	t.Cleanup(func() {
		f.stop()
		f.done.Wait()
		for _, m := range f.members {
			m.end()
		}
	})
	return f
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (f *fleet) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: f.namespace, Labels: map[string]string{managedBy: generator, "app.kubernetes.io/name": "user"}}
}

func (f *fleet) spec() corev1.PodSpec {
	return corev1.PodSpec{
		Containers: []corev1.Container{{Name: "user", Image: "user", Ports: []corev1.ContainerPort{{Name: adminPort, ContainerPort: admin}},
			Env: []corev1.EnvVar{{Name: "USER_LOG_LEVEL", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
				LocalObjectReference: corev1.LocalObjectReference{Name: "user-environment"}, Key: "level"}}}}}},
		Volumes: []corev1.Volume{
			{Name: "config", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "user"}}}},
			{Name: adminPort, VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "user-admin"}}},
		},
	}
}

// addresses are given to the pods of all tests.
var addresses struct {
	sync.Mutex
	next int
}

// add starts a pod with the files of the ConfigMap as it is now, and reports whether it
// becomes ready.
func (f *fleet) add(template map[string]string) bool {
	addresses.Lock()
	addresses.next++
	m := &member{name: fmt.Sprintf("user-%03d", addresses.next), address: fmt.Sprintf("127.0.1.%d", addresses.next), folder: f.t.TempDir(), made: template}
	addresses.Unlock()
	ctx := context.Background()
	config := f.config()
	check(os.WriteFile(filepath.Join(m.folder, mainFile), []byte(config.Data[mainFile]), 0o600))
	check(os.WriteFile(filepath.Join(m.folder, tokenKey), []byte(token), 0o600))
	m.start("USER_LOG_LEVEL=" + f.secret()["level"])
	pod := &corev1.Pod{ObjectMeta: f.meta(m.name), Spec: f.spec()}
	pod.Annotations = maps.Clone(template)
	check(f.client.Create(ctx, pod))
	for range 100 {
		if res, err := http.Get(fmt.Sprintf("http://%s:%d/readyz", m.address, admin)); err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				f.status(pod, m, corev1.ContainerStatus{Name: "user", Ready: true}, corev1.ConditionTrue)
				f.mu.Lock()
				f.members[m.name] = m
				f.mu.Unlock()
				return true
			}
		}
		time.Sleep(100 * time.Millisecond)
		if m.ended() {
			break
		}
	}
	m.end()
	f.status(pod, m, corev1.ContainerStatus{Name: "user", RestartCount: 3,
		State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}}, corev1.ConditionFalse)
	f.mu.Lock()
	f.members[m.name] = m
	f.mu.Unlock()
	return false
}

// check is for what is not the subject of a test, in goroutines too.
func check(err error) {
	if err != nil {
		panic(err)
	}
}

func (f *fleet) status(pod *corev1.Pod, m *member, container corev1.ContainerStatus, ready corev1.ConditionStatus) {
	pod.Status = corev1.PodStatus{
		Phase: corev1.PodRunning, PodIP: m.address, PodIPs: []corev1.PodIP{{IP: m.address}},
		Conditions:        []corev1.PodCondition{{Type: corev1.PodReady, Status: ready}},
		ContainerStatuses: []corev1.ContainerStatus{container},
	}
	check(f.client.Status().Update(context.Background(), pod))
}

func (m *member) start(environment string) {
	m.cmd = exec.Command(binary, "--config", filepath.Join(m.folder, mainFile))
	m.cmd.Dir = m.folder
	m.cmd.Env = append(os.Environ(),
		"USER_LISTEN_GRPC="+m.address+":39090", "USER_LISTEN_HTTP="+m.address+":38080", fmt.Sprintf("USER_LISTEN_ADMIN=%s:%d", m.address, admin),
		"USER_ADMIN_TOKEN_FILE="+filepath.Join(m.folder, tokenKey), "USER_DATABASE_URL=sqlite:"+filepath.Join(m.folder, "user.db"),
		"USER_STOP_DRAIN_DELAY=0s", environment)
	log, err := os.Create(filepath.Join(m.folder, "log"))
	check(err)
	if text, _ := os.ReadFile(filepath.Join(m.folder, mainFile)); strings.Contains(string(text), stuck) {
		m.cmd.Env = append(m.cmd.Env, "USER_DATABASE_URL=nowhere://")
	}
	m.cmd.Stdout, m.cmd.Stderr = log, log
	check(m.cmd.Start())
	check(log.Close())
	m.gone = make(chan struct{})
	go func() {
		_ = m.cmd.Wait()
		close(m.gone)
	}()
}

func (m *member) end() {
	_ = m.cmd.Process.Kill()
	<-m.gone
}

func (f *fleet) config() *corev1.ConfigMap {
	var config corev1.ConfigMap
	check(f.client.Get(context.Background(), client.ObjectKey{Namespace: f.namespace, Name: "user"}, &config))
	return &config
}

// secret is what pods get into their environment when they start.
func (f *fleet) secret() map[string]string {
	var secret corev1.Secret
	check(f.client.Get(context.Background(), client.ObjectKey{Namespace: f.namespace, Name: "user-environment"}, &secret))
	all := map[string]string{}
	for key, value := range secret.Data {
		all[key] = string(value)
	}
	return all
}

// rotate is what a user does with the Secret.
func (f *fleet) rotate(key, value string) {
	f.t.Helper()
	secret := &corev1.Secret{ObjectMeta: f.meta("user-environment")}
	must(f.t, f.client.Patch(f.t.Context(), secret, client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"stringData": {%q: %q}}`, key, value))))
}

// edit is what a user does.
func (f *fleet) edit(text string) {
	f.t.Helper()
	config := f.config()
	before := config.DeepCopy()
	config.Data[mainFile] = text
	must(f.t, f.client.Patch(f.t.Context(), config, client.MergeFrom(before)))
}

// controllers deliver the ConfigMap to the pods that were changed since, and replace pods
// where the template was changed: a new one that is ready for an old one, one by one.
func (f *fleet) controllers(ctx context.Context) {
	for ctx.Err() == nil {
		f.deliver(ctx)
		f.replace(ctx)
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (f *fleet) deliver(ctx context.Context) {
	config := f.config()
	for _, m := range f.all() {
		var pod corev1.Pod
		if err := f.client.Get(ctx, client.ObjectKey{Namespace: f.namespace, Name: m.name}, &pod); err != nil || pod.Annotations[nudged] == "" {
			continue
		}
		path := filepath.Join(m.folder, mainFile)
		if now, _ := os.ReadFile(path); string(now) != config.Data[mainFile] {
			check(os.WriteFile(path+"~", []byte(config.Data[mainFile]), 0o600))
			check(os.Rename(path+"~", path))
		}
	}
}

func (f *fleet) replace(ctx context.Context) {
	var d appsv1.Deployment
	if err := f.client.Get(ctx, client.ObjectKey{Namespace: f.namespace, Name: "user"}, &d); err != nil {
		return
	}
	want := d.Spec.Template.Annotations
	all := f.all()
	if slices.ContainsFunc(all, func(m *member) bool { return maps.Equal(m.made, want) && m.ended() }) {
		return // a new one does not come up, so the old ones stay
	}
	for _, m := range all {
		if maps.Equal(m.made, want) || ctx.Err() != nil {
			continue
		}
		if !m.ended() && !f.add(want) {
			return
		}
		_ = f.client.Delete(context.Background(), &corev1.Pod{ObjectMeta: f.meta(m.name)}, client.GracePeriodSeconds(0))
		m.end()
		f.mu.Lock()
		delete(f.members, m.name)
		f.mu.Unlock()
	}
}

// ended reports whether the process of a pod has ended by itself.
func (m *member) ended() bool {
	select {
	case <-m.gone:
		return true
	default:
		return false
	}
}

func (f *fleet) all() (all []*member) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.members {
		all = append(all, m)
	}
	return all
}

// inForce are the configurations of the pods, by their names.
func (f *fleet) inForce() map[string]string {
	all := map[string]string{}
	for _, m := range f.all() {
		req, err := http.NewRequest(http.MethodGet, fmt.Sprintf("http://%s:%d/config", m.address, admin), nil)
		check(err)
		req.Header.Set("Authorization", "Bearer "+token)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			all[m.name] = err.Error()
			continue
		}
		text, err := io.ReadAll(res.Body)
		check(errors.Join(err, res.Body.Close()))
		all[m.name] = string(text)
	}
	return all
}

// settled waits until all pods have a line in force, and no other pods are there.
func (f *fleet) settled(line string, within time.Duration) {
	f.t.Helper()
	var last map[string]string
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		last = f.inForce()
		missing := 0
		for _, text := range last {
			if !strings.Contains(text, line) {
				missing++
			}
		}
		if missing == 0 && len(last) > 0 {
			return
		}
	}
	f.t.Fatalf("after %v not all pods have %q in force: %v", within, line, last)
}
