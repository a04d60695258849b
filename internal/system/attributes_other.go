//go:build !linux

package system

import "syscall"

// attributes are the ordinary ones: only Linux can tie a process to its parent.
func attributes() *syscall.SysProcAttr { return nil }
