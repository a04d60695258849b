package server

import "time"

// The clock of a bubble of synctest begins in 2000, which must not be before the
// epoch.
func init() { epoch = time.Unix(0, 0) }
