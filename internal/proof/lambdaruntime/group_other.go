//go:build !unix

package lambdaruntime

import "os/exec"

// OwnGroup does nothing: this system has no process groups.
func OwnGroup(*exec.Cmd) {}

// KillGroup kills the command's process, and not what that started.
func KillGroup(cmd *exec.Cmd) { _ = cmd.Process.Kill() }
