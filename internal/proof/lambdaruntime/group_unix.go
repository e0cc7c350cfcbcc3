//go:build unix

package lambdaruntime

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// ownGroup makes the command the leader of a process group of its own.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// Signals to a group that is gone fail, and that is all there is to say about them.

func terminateGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }

func killGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

func usage(state *os.ProcessState) Usage {
	u := Usage{User: state.UserTime(), System: state.SystemTime()}
	if r, ok := state.SysUsage().(*syscall.Rusage); ok {
		u.MaxRSS = int64(r.Maxrss) //nolint:unconvert // An int32 on 32-bit systems.
		if runtime.GOOS != "darwin" && runtime.GOOS != "ios" {
			u.MaxRSS *= 1 << 10 // Apple counts bytes, the others KiB.
		}
	}

	return u
}
