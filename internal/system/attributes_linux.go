package system

import "syscall"

// attributes are those of a process that dies with its parent. It has a process
// group of its own, because Ctrl-C in a terminal goes to the whole group: the
// process would get that signal beside ours and take it for the second one,
// which ends a graceful stop.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
