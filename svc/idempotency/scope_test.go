package idempotency

import (
	"context"
	"errors"
	"testing"

	"google.golang.org/protobuf/types/known/wrapperspb"

	svcerrors "github.com/protosvc/protosvc/svc/errors"
	"github.com/protosvc/protosvc/svc/propagate"
)

// as makes a call as a tenant does; see fixture.call.
func (f fixture) as(tenant string, req *request, runs *int, text string) (string, error) {
	ctx := propagate.NewContext(f.t.Context(), "x-tenant-id", tenant)
	resp, err := f.Do(ctx, req, func(context.Context, *request) (*response, error) {
		*runs++
		return wrapperspb.String(text), nil
	})
	return resp.GetValue(), err
}

// The same key of another tenant is another key: it has an answer of its own, and
// no conflict with a request that says something else.
func TestScope(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		f := newFixture(t, open(t, url))
		runs := 0
		for _, tenant := range []string{"a", "b", "", "a?x-tenant-id=b", "A"} {
			for range 2 {
				if got, err := f.as(tenant, of("k", "of "+tenant), &runs, "for "+tenant); err != nil || got != "for "+tenant {
					t.Errorf("tenant %q gets %q, %v", tenant, got, err)
				}
			}
			if _, err := f.as(tenant, of("k", "other"), &runs, ""); !errors.Is(err, svcerrors.IdempotencyKeyConflict) {
				t.Errorf("another request of tenant %q with its key gets %v", tenant, err)
			}
		}
		if runs != 5 {
			t.Errorf("%d runs for five tenants", runs)
		}
	})
}

// While replicas with and without the scope share the table, neither gives a
// tenant the answer of another caller, and calls without a tenant have the same
// answer in both.
func TestScopeIsNew(t *testing.T) {
	onEach(t, func(t *testing.T, url string) {
		db := open(t, url)
		now := newFixture(t, db)
		before := newFixture(t, db)
		before.scope = ""
		runs := 0
		for _, step := range []struct {
			replica      fixture
			tenant, want string
			runs         int
		}{
			{before, "a", "first", 1},
			{now, "a", "second", 2},
			{now, "b", "third", 3},
			{before, "b", "first", 3},
			{now, "", "first", 3},
			{now, "a", "second", 3},
		} {
			got, err := step.replica.as(step.tenant, of("k", ""), &runs, []string{"first", "second", "third", "fourth"}[runs])
			if err != nil || got != step.want || runs != step.runs {
				t.Errorf("tenant %q gets %q, %v after %d runs, want %q after %d", step.tenant, got, err, runs, step.want, step.runs)
			}
		}
	})
}
