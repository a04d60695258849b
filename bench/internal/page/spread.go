package page

import (
	"fmt"
	"slices"
)

// Median is the value in the middle.
func Median(of []float64) float64 {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[len(sorted)/2]
}

// Spread is how a page gives what was measured in rounds: the median [smallest–largest].
func Spread(of []float64) string {
	return fmt.Sprintf("%.2f [%.2f–%.2f]", Median(of), slices.Min(of), slices.Max(of))
}
