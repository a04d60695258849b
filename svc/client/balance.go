package client

import (
	"fmt"

	"google.golang.org/grpc/balancer/leastrequest"
	"google.golang.org/grpc/balancer/pickfirst"
	"google.golang.org/grpc/balancer/roundrobin"
)

// Policies of balancing, for Options.Balance. All but Weighted are grpc-go's own;
// weighted.go has that one, and distinct.go sends the requests of a hedged call to
// different backends.
const (
	RoundRobin   = "round_robin"   // each address in turn
	LeastRequest = "least_request" // the one with fewer calls in flight, of two picked at random
	Weighted     = "weighted"      // each in proportion to the load that it reports
	PickFirst    = "pick_first"    // one address for all calls, the next one when it fails
)

// balancers are the policies, as Options has them, by the names that grpc-go
// knows them by.
var balancers = map[string]string{
	"":           roundrobin.Name,
	RoundRobin:   roundrobin.Name,
	LeastRequest: leastrequest.Name,
	Weighted:     weightedName,
	PickFirst:    pickfirst.Name,
}

// balancerName is the balancer of a connection. There is no second address for
// a hedge with pick_first.
func balancerName(balance string, hedged bool) (string, error) {
	name, known := balancers[balance]
	switch {
	case !known:
		return "", fmt.Errorf("balance %q is unknown (want round_robin, least_request, weighted or pick_first)", balance)
	case hedged && name != pickfirst.Name:
		return distinctPrefix + name, nil
	}
	return name, nil
}
