package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
)

// plan is what is to be played on a cluster.
type plan struct {
	scenarios []*scenario
	full      bool // with a monitoring
}

// newPlan reads numbers of scenarios and the word full. No number is all of them.
func newPlan(args []string) (*plan, error) {
	p := &plan{}
	for _, arg := range args {
		if arg == "full" {
			p.full = true
			continue
		}
		number, err := strconv.Atoi(arg)
		before := len(p.scenarios)
		for _, s := range scenarios {
			if err == nil && s.number == number {
				p.scenarios = append(p.scenarios, s)
			}
		}
		if len(p.scenarios) == before {
			return nil, fmt.Errorf("there is no scenario %s\n%s", arg, usage)
		}
	}
	if len(p.scenarios) == 0 {
		p.scenarios = scenarios
	}
	return p, nil
}

// whole reports whether nothing is left out.
func (p *plan) whole() bool { return p.full && len(p.scenarios) == len(scenarios) }

// next reports whether it needs the next version of the services.
func (p *plan) next() bool { return p.plays(skewNumber) }

// plays reports whether scenarios of a number are in it.
func (p *plan) plays(number int) bool {
	return slices.ContainsFunc(p.scenarios, func(s *scenario) bool { return s.number == number })
}

// programs are those that have to be built.
func (p *plan) programs() []string {
	all := slices.Clone(nodePrograms)
	if p.full {
		all = append(all, monitoringPrograms...)
	}
	if p.plays(policyNumber) {
		all = append(all, policyProgram)
	}
	return all
}

// packages are those of Debian that have to be there.
func (p *plan) packages() []string {
	if p.plays(policyNumber) {
		return append(slices.Clone(packages), "ipset")
	}
	return packages
}

// own are the programs that run in pods of the cluster itself.
func (p *plan) own() []string {
	if p.full {
		return []string{"pause", "coredns", "prometheus", "prometheus-config-reloader"}
	}
	return []string{"pause", "coredns"}
}

// images are the archives of all images, in a folder.
func (p *plan) images(folder string) (all []string) {
	for _, name := range p.own() {
		all = append(all, filepath.Join(folder, name+".tar"))
	}
	for _, service := range services {
		all = append(all, filepath.Join(folder, service+"-dev.tar"))
	}
	if p.plays(operatorNumber) {
		all = append(all, filepath.Join(folder, operatorImage+"-dev.tar"))
	}
	if p.next() {
		for _, service := range nextServices {
			all = append(all, filepath.Join(folder, service+"-"+nextTag+".tar"))
		}
	}
	return all
}
