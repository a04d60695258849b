package config

import "sync/atomic"

// Value holds the configuration in force, for hot reload: readers load it once
// per unit of work, a reload stores a new one. What is stored must not be
// changed any more. The zero Value holds the zero T. It must not be copied.
type Value[T any] struct{ p atomic.Pointer[T] }

// Load returns what was stored last.
func (v *Value[T]) Load() T {
	if p := v.p.Load(); p != nil {
		return *p
	}
	var zero T
	return zero
}

// Store replaces the value; readers see the old or the new one, never a mix.
func (v *Value[T]) Store(t T) { v.p.Store(&t) }
