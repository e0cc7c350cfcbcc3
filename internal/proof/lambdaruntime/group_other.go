//go:build !unix

package lambdaruntime

import (
	"os"
	"os/exec"
)

func ownGroup(*exec.Cmd) {}

func terminateGroup(cmd *exec.Cmd) { killGroup(cmd) }

func killGroup(cmd *exec.Cmd) { _ = cmd.Process.Kill() }

func usage(state *os.ProcessState) Usage {
	return Usage{User: state.UserTime(), System: state.SystemTime()}
}
