package client

import (
	"time"

	"google.golang.org/grpc/balancer"
)

// ReportEvery makes connections of tests ask for load reports more often.
func ReportEvery(interval time.Duration) {
	balancer.Register(weightedBuilder{interval})
	balancer.Register(distinctBuilder{weightedBuilder{interval}})
}

// ServiceConfigOf is what a connection tells grpc-go.
var ServiceConfigOf = defaultConfig
