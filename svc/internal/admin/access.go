package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/protosvc/protosvc/svc/internal/logging"
)

const (
	tokenLimit         = 4 << 10          // bytes of a token file
	refusedLogInterval = 10 * time.Second // between lines about requests that are refused
)

// access decides who gets the pages that show or change what is inside the process.
//
// With a token, whoever sends it does: Authorization: Bearer TOKEN. Without one, only
// clients on the same machine do, which in a Pod includes kubectl port-forward.
type access struct {
	tokenFile string // may be missing, or have no name: then there is no token
	log       *slog.Logger
	logged    logging.Sampler
}

func newAccess(o Options) *access {
	return &access{
		tokenFile: o.TokenFile,
		log:       o.log(),
		logged:    logging.Sampler{Burst: 1, Every: refusedLogInterval},
	}
}

// guard lets a request pass that may see the page.
func (a *access) guard(page http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refusal := a.check(r)
		if refusal == nil {
			page.ServeHTTP(w, r)
			return
		}
		if suppressed, ok := a.logged.Pass(); ok {
			a.log.LogAttrs(r.Context(), slog.LevelWarn, "the admin port refuses a request",
				append(suppressed, slog.String("path", r.URL.Path), slog.String("peer", r.RemoteAddr), slog.Any("reason", refusal.reason))...)
		}
		if refusal.code == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", "Bearer")
		}
		write(w, refusal.code, plainText, refusal.answer+"\n")
	})
}

// refusal is why a request does not get its page.
type refusal struct {
	code   int
	answer string
	reason error // for the log, which may say more
}

func refuse(code int, format string, args ...any) *refusal {
	err := fmt.Errorf(format, args...)
	return &refusal{code, err.Error(), err}
}

// check returns nil for a request that may pass. The file is read each time, so that
// a new token holds at once and the old one no longer.
func (a *access) check(r *http.Request) *refusal {
	token, err := readToken(a.tokenFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return local(r)
	case err != nil:
		// Not the way without a token: somebody wanted one.
		return &refusal{http.StatusServiceUnavailable, "the token of the admin port cannot be read: the log says why", err}
	}
	scheme, sent, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return refuse(http.StatusUnauthorized, "this page needs the header Authorization: Bearer TOKEN")
	}
	// Hashes have one length, so that how long the comparison takes says nothing.
	want, got := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(strings.TrimSpace(sent)))
	if subtle.ConstantTimeCompare(want[:], got[:]) != 1 {
		return refuse(http.StatusUnauthorized, "this is not the token of the admin port")
	}
	return nil
}

// readToken returns the content of a token file without the space around it. A file
// that does not exist, or has no name, is fs.ErrNotExist.
func readToken(name string) (string, error) {
	if name == "" {
		return "", fs.ErrNotExist
	}
	file, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, tokenLimit+1))
	token := strings.TrimSpace(string(content))
	switch {
	case err != nil:
		return "", err
	case len(content) > tokenLimit:
		return "", fmt.Errorf("%s is larger than %d bytes", name, tokenLimit)
	case token == "":
		return "", fmt.Errorf("%s is empty", name)
	}
	return token, nil
}

// local lets a client pass that is on this machine and asks for it by that name. The
// name is checked because a page in the operator's browser can have any name lead to
// 127.0.0.1, and headers of proxies because what they pass on comes from elsewhere.
func local(r *http.Request) *refusal {
	const only = "without admin.token_file this page is only for clients on the same machine"
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !peer.Addr().Unmap().IsLoopback() {
		return refuse(http.StatusForbidden, only)
	}
	for _, header := range []string{"Forwarded", "X-Forwarded-For", "Via"} {
		if r.Header.Get(header) != "" {
			return refuse(http.StatusForbidden, only+", not for what a proxy passes on")
		}
	}
	if !isLocalName(r.Host) {
		return refuse(http.StatusForbidden, only+", as localhost or 127.0.0.1 and not by another name")
	}
	return nil
}

func isLocalName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && addr.Unmap().IsLoopback()
}
