package main_test

import (
	"google.golang.org/protobuf/types/descriptorpb"

	svcv1 "github.com/protosvc/protosvc/proto/svc/v1"
)

// mendDeployment makes acceptable what manifests are made of.
func mendDeployment(s *descriptorpb.ServiceDescriptorProto, policy *svcv1.Service) {
	if policy.GetMonitoring().GetMonitor() == svcv1.Monitor_MONITOR_NONE {
		policy.Monitoring.Interval = ""
	}
	if policy.GetDatabase().GetMigrationsSecret() != "" {
		policy.Database.Migrations = svcv1.Migrations_MIGRATIONS_JOB
	}
	if scale := policy.GetScale(); scale.GetInFlight() > 0 {
		scale.InFlight = 0
		for _, m := range s.Method {
			if !m.GetClientStreaming() && !m.GetServerStreaming() && (scale.Max == 0 && scale.Min < 4 || scale.Max > max(scale.Min, 2)) {
				scale.InFlight = 1
			}
		}
	}
}

// secretKey is the key of a field of its own, where it may have one.
func (c *fuzzContract) secretKey(f *descriptorpb.FieldDescriptorProto) string {
	scalar := f.GetType() != typeMessage && f.GetLabel() != labelRepeated
	if c.tame && !(f.GetOptions().GetDebugRedact() && scalar) || !c.once(2) {
		return ""
	}
	return c.one("key.of_", "1-") + f.GetName()
}
