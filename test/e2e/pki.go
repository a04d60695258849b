package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// authority signs the certificates of a cluster, which live as long as it does.
type authority struct {
	folder      string
	certificate *x509.Certificate
	key         crypto.Signer
	serial      int64
}

// newAuthority makes one, and writes ca.crt and the keys of ServiceAccount tokens,
// sa.key and sa.pub.
func newAuthority(folder string) (*authority, error) {
	a := &authority{folder: folder}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	template := a.template("e2e")
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, a.key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	if a.certificate, err = x509.ParseCertificate(der); err != nil {
		return nil, err
	}
	tokens, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	public, err := x509.MarshalPKIXPublicKey(tokens.Public())
	if err != nil {
		return nil, err
	}
	for file, block := range map[string]*pem.Block{
		"ca.crt": {Type: "CERTIFICATE", Bytes: der},
		"sa.pub": {Type: "PUBLIC KEY", Bytes: public},
		"sa.key": {Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(tokens)},
	} {
		if err := a.write(file, block); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func (a *authority) template(name string, groups ...string) *x509.Certificate {
	a.serial++
	return &x509.Certificate{
		SerialNumber: big.NewInt(a.serial),
		Subject:      pkix.Name{CommonName: name, Organization: groups},
		NotBefore:    time.Now().Add(-time.Minute),
		NotAfter:     time.Now().Add(24 * time.Hour),
	}
}

// issue signs a certificate for a server at IP addresses and a client of groups, and
// writes FILE.crt and FILE.key.
func (a *authority) issue(file, name string, addresses []string, groups ...string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := a.template(name, groups...)
	for _, address := range addresses {
		template.IPAddresses = append(template.IPAddresses, net.ParseIP(address))
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	if err := a.write(file+".crt", &pem.Block{Type: "CERTIFICATE", Bytes: der}); err != nil {
		return err
	}
	return a.write(file+".key", &pem.Block{Type: "EC PRIVATE KEY", Bytes: private})
}

// kubeconfig issues a certificate for a client, writes a kubeconfig that has it, and
// returns its path.
func (a *authority) kubeconfig(server, file, name string, groups ...string) (string, error) {
	if err := a.issue(file, name, nil, groups...); err != nil {
		return "", err
	}
	path := a.path(file + ".kubeconfig")
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: e2e, cluster: {server: %q, certificate-authority: %q}}]
users: [{name: e2e, user: {client-certificate: %q, client-key: %q}}]
contexts: [{name: e2e, context: {cluster: e2e, user: e2e}}]
current-context: e2e
`, server, a.path("ca.crt"), a.path(file+".crt"), a.path(file+".key"))
	return path, os.WriteFile(path, []byte(text), 0o600)
}

func (a *authority) path(file string) string { return filepath.Join(a.folder, file) }

func (a *authority) write(file string, block *pem.Block) error {
	return os.WriteFile(a.path(file), pem.EncodeToMemory(block), 0o600)
}

// clientTLS is the side of a client that has a certificate FILE.crt.
func (a *authority) clientTLS(file string) (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(a.path(file+".crt"), a.path(file+".key"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(a.certificate)
	return &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}}, nil
}
