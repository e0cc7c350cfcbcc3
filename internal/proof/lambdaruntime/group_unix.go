//go:build unix

package lambdaruntime

import (
	"os/exec"
	"syscall"
)

// OwnGroup makes the command the leader of a process group of its own.
func OwnGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// KillGroup kills the group; it fails only if the group is gone.
func KillGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
