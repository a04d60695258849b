package manifests

import (
	"net/netip"
	"testing"
)

// TestNetwork evaluates the flagship's policies as a network plugin would.
func TestNetwork(t *testing.T) {
	services, err := Services(generated(t))
	if err != nil {
		t.Fatal(err)
	}
	ends := map[string]peer{
		"web":        {namespace: home, labels: map[string]string{"app.kubernetes.io/name": "web"}},
		"ingress":    {namespace: "ingress-nginx", labels: map[string]string{"app.kubernetes.io/name": "ingress-nginx"}},
		"prometheus": {namespace: "monitoring", labels: map[string]string{"app.kubernetes.io/name": "prometheus"}},
		"impostor":   {namespace: "other", labels: map[string]string{"app.kubernetes.io/name": "order", "app.kubernetes.io/part-of": "shop"}},
		"dns":        {namespace: "kube-system", labels: map[string]string{"k8s-app": "kube-dns"}},
		"node dns":   {address: netip.MustParseAddr("169.254.20.10")},
		"host":       {address: netip.MustParseAddr("192.0.2.1")},
	}
	for _, s := range services {
		ends[s.Name] = s.pods()
	}
	const grpc, http, admin = 9090, 8080, 9091
	tests := []struct {
		from, to string
		port     int32
		want     bool
	}{
		{"order", "user", grpc, true},
		{"order", "payment", grpc, true},
		{"payment", "user", grpc, false},
		{"user", "order", grpc, false},
		{"order", "payment", admin, false},
		{"order", "user", http, false},
		{"impostor", "user", grpc, false},
		{"web", "order", http, false},
		{"web", "order", grpc, false},
		{"ingress", "order", http, true},
		{"ingress", "order", grpc, false},
		{"ingress", "order", admin, false},
		{"ingress", "user", http, false},
		{"prometheus", "order", admin, true},
		{"prometheus", "user", admin, true},
		{"prometheus", "order", grpc, false},
		{"order", "prometheus", 4317, true},
		{"order", "prometheus", 9090, false},
		{"order", "dns", 53, true},
		{"order", "node dns", 53, true},
		{"order", "host", 53, false},
		{"order", "host", 5432, true},
		{"order", "host", 443, false},
	}
	for _, test := range tests {
		from, to := ends[test.from], ends[test.to]
		if from.labels == nil && !from.address.IsValid() || to.labels == nil && !to.address.IsValid() {
			t.Fatalf("%s or %s is not there", test.from, test.to)
		}
		if got := allowed(services, home, from, to, test.port); got != test.want {
			t.Errorf("%s to %s at port %d: allowed is %v", test.from, test.to, test.port, got)
		}
	}
}

// TestNetworkOverlay enables all policies with the one line that the catalogue
// names.
func TestNetworkOverlay(t *testing.T) {
	fsys := copied(t)
	for overlay, want := range map[string]int{
		"resources: [../generated/deploy]\n": 0,
		"resources: [../generated/deploy]\ncomponents: [../generated/deploy/components/network-policy]\n":                     3,
		"resources: [../generated/deploy/order/k8s]\ncomponents: [../generated/deploy/order/k8s/components/network-policy]\n": 1,
	} {
		if err := fsys.WriteFile("/overlay/kustomization.yaml", []byte("namespace: shop\n"+overlay)); err != nil {
			t.Fatal(err)
		}
		got := 0
		for _, r := range build(t, fsys, "/overlay").Resources() {
			if r.GetKind() == "NetworkPolicy" {
				got++
				if r.GetNamespace() != "shop" {
					t.Errorf("%s: %s is in namespace %q", overlay, r.GetName(), r.GetNamespace())
				}
			}
		}
		if got != want {
			t.Errorf("%s: %d NetworkPolicies, want %d", overlay, got, want)
		}
	}
}
