package logging

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/grpclog"
)

// LibraryKey names the library that wrote a line, "net/http".
const LibraryKey = "library"

// linesOfLibraries is how many lines one library writes in a second at the most: what
// clients do to a connection makes lines too.
const linesOfLibraries = 10

// library is a logger whose lines say that they come from a library, and are thinned out.
func library(l *slog.Logger, name string) *slog.Logger {
	return slog.New(thinned{l.Handler(), &Sampler{Burst: linesOfLibraries, Every: time.Second}}).With(slog.String(LibraryKey, name))
}

// thinned lets a sampler decide which lines pass.
type thinned struct {
	slog.Handler
	sampler *Sampler
}

func (t thinned) Handle(ctx context.Context, r slog.Record) error {
	suppressed, ok := t.sampler.Pass()
	if !ok {
		return nil
	}
	r = r.Clone()
	r.AddAttrs(suppressed...)
	return t.Handler.Handle(ctx, r)
}

func (t thinned) WithAttrs(attrs []slog.Attr) slog.Handler {
	return thinned{t.Handler.WithAttrs(attrs), t.sampler}
}

func (t thinned) WithGroup(name string) slog.Handler {
	return thinned{t.Handler.WithGroup(name), t.sampler}
}

// HTTP returns the ErrorLog of an [net/http.Server]. Its lines are warnings, at most ten
// in a second.
func HTTP(l *slog.Logger) *log.Logger {
	return slog.NewLogLogger(library(l, "net/http").Handler(), slog.LevelWarn)
}

// severities are the values of GRPC_GO_LOG_SEVERITY_LEVEL.
var severities = map[string]slog.Level{"info": slog.LevelInfo, "warning": slog.LevelWarn, "error": slog.LevelError}

// GRPC returns a logger for [grpclog.SetLoggerV2]. It obeys grpc-go's variables
// GRPC_GO_LOG_SEVERITY_LEVEL (default error) and GRPC_GO_LOG_VERBOSITY_LEVEL; at most
// ten lines are written in a second.
func GRPC(l *slog.Logger) grpclog.LoggerV2 {
	least, known := severities[strings.ToLower(os.Getenv("GRPC_GO_LOG_SEVERITY_LEVEL"))]
	if !known {
		least = slog.LevelError
	}
	verbosity, _ := strconv.Atoi(os.Getenv("GRPC_GO_LOG_VERBOSITY_LEVEL")) // as grpc-go has it: 0 for what is no number
	return &grpcLog{library(l, "grpc"), least, verbosity}
}

// grpcLog is what grpc-go writes to. Texts are made only for lines that are written.
type grpcLog struct {
	log       *slog.Logger
	least     slog.Level
	verbosity int
}

func (g *grpcLog) write(level slog.Level, text func(...any) string, args []any) {
	if ctx := context.Background(); level >= g.least && g.log.Enabled(ctx, level) {
		g.log.Log(ctx, level, strings.TrimSpace(text(args...)))
	}
}

func (g *grpcLog) format(level slog.Level, format string, args []any) {
	g.write(level, func(args ...any) string { return fmt.Sprintf(format, args...) }, args)
}

func (g *grpcLog) Info(args ...any)                    { g.write(slog.LevelInfo, fmt.Sprint, args) }
func (g *grpcLog) Infoln(args ...any)                  { g.write(slog.LevelInfo, fmt.Sprintln, args) }
func (g *grpcLog) Infof(format string, args ...any)    { g.format(slog.LevelInfo, format, args) }
func (g *grpcLog) Warning(args ...any)                 { g.write(slog.LevelWarn, fmt.Sprint, args) }
func (g *grpcLog) Warningln(args ...any)               { g.write(slog.LevelWarn, fmt.Sprintln, args) }
func (g *grpcLog) Warningf(format string, args ...any) { g.format(slog.LevelWarn, format, args) }
func (g *grpcLog) Error(args ...any)                   { g.write(slog.LevelError, fmt.Sprint, args) }
func (g *grpcLog) Errorln(args ...any)                 { g.write(slog.LevelError, fmt.Sprintln, args) }
func (g *grpcLog) Errorf(format string, args ...any)   { g.format(slog.LevelError, format, args) }

// grpc-go ends the process after each of these.
func (g *grpcLog) Fatal(args ...any)                 { g.write(slog.LevelError, fmt.Sprint, args) }
func (g *grpcLog) Fatalln(args ...any)               { g.write(slog.LevelError, fmt.Sprintln, args) }
func (g *grpcLog) Fatalf(format string, args ...any) { g.format(slog.LevelError, format, args) }

func (g *grpcLog) V(level int) bool { return level <= g.verbosity }
