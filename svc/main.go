package svc

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/protosvc/protosvc/svc/internal/lifecycle"
	"github.com/protosvc/protosvc/svc/internal/logging"
)

// Exit codes of Main.
const (
	exitOK    = 0
	exitFault = 1 // bad config, or the service failed
	exitUsage = 2 // bad flags
)

// Main runs a service as the process: flags, signals, exit code. It does not
// return.
//
//	--config=FILE   configuration (default config.yaml)
//	--env=NAME      also read FILE's sibling config.NAME.yaml
//	--check-config  check the configuration and exit
//	--migrate       apply the migrations of the database and exit
//	--version       print the version and exit
//
// SIGTERM or SIGINT stops gracefully, a second one at once. SIGHUP reloads the
// configuration as POST /config/reload does, and so does a change of its files within
// a few seconds; the log says whether it is in force.
//
// What is written to slog.Default, with package log, or by grpc-go, is a line of the log
// too: Main sets these loggers.
func Main(s Service) {
	os.Exit(run(s, Options{isProcess: true}, os.Args[1:], os.Stdout, os.Stderr))
}

func run(s Service, o Options, args []string, stdout, stderr io.Writer) int {
	o.Environ, o.Log = os.Environ(), stderr
	flags := flag.NewFlagSet(s.Name, flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.Config, "config", "config.yaml", "configuration `file`")
	flags.StringVar(&o.Env, "env", "", "`name` of the environment: also read config.NAME.yaml beside the file")
	checkOnly := flags.Bool("check-config", false, "check the configuration and exit")
	flags.BoolVar(&o.migrates, "migrate", false, "apply the migrations of the database and exit")
	versionOnly := flags.Bool("version", false, "print the version and exit")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		return exitUsage
	case flags.NArg() > 0:
		fmt.Fprintf(stderr, "%s: unexpected argument %q\n", s.Name, flags.Arg(0))
		return exitUsage
	}

	switch {
	case *versionOnly:
		fmt.Fprintln(stdout, s.Name, programVersion(), revision())
		return exitOK
	case *checkOnly:
		if _, err := s.load(o); err != nil {
			return report(stderr, s, err)
		}
		fmt.Fprintf(stdout, "%s: config is valid\n", s.Name)
		return exitOK
	}
	signal.Ignore(syscall.SIGPIPE) // who reads the log may end: the service does not
	ctx, hard, release := lifecycle.Signals(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer release()
	o.Hard = hard
	hangUps := make(chan os.Signal, 1) // one that comes while another is served, or before the start is through, is not lost
	signal.Notify(hangUps, syscall.SIGHUP)
	defer signal.Stop(hangUps)
	o.hangUps = hangUps
	work := Run
	if o.migrates {
		work = migrate
	}
	if err := work(ctx, s, o); err != nil {
		last := logging.NewWriter(stderr, s.lines())
		defer last.Close(logBudget)
		return report(last, s, err)
	}
	return exitOK
}

func report(stderr io.Writer, s Service, err error) int {
	fmt.Fprintf(stderr, "%s: %v\n", s.Name, err)
	return exitFault
}
