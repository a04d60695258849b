package gateway

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/protosvc/protosvc/svc/internal/transcode"
)

// framingOf returns what a client prefers: events, or lines.
func framingOf(header http.Header) framing {
	var events, lines float64
	for name, quality := range accepted(header.Values("Accept")) {
		switch name {
		case "text/event-stream":
			events = quality
		case transcode.Lines, transcode.JSON:
			lines = max(lines, quality)
		}
	}
	return framing{events: events > lines}
}

// accepted are the names in a header such as Accept, with their weights.
func accepted(values []string) map[string]float64 {
	out := map[string]float64{}
	for _, value := range values {
		for element := range strings.SplitSeq(value, ",") {
			name, parameters, _ := strings.Cut(element, ";")
			out[strings.ToLower(strings.TrimSpace(name))] = weight(parameters)
		}
	}
	return out
}

// weight is the parameter q of an element; what is no number is 1.
func weight(parameters string) float64 {
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, text, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		if q, err := strconv.ParseFloat(text, 64); err == nil && strings.EqualFold(name, "q") {
			return q
		}
	}
	return 1
}
