// Package checkout gets the sources of an earlier commit, to measure against.
package checkout

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Commit returns the folder with a commit's files, below .build/ at the repository's
// root. It is made once.
func Commit(ctx context.Context, commit string) (folder string, err error) {
	text, err := exec.CommandContext(ctx, "git", "rev-parse", "--show-toplevel", "--short", "--verify", commit+"^{commit}").Output() //nolint:gosec // G204: it is the developer's
	if err != nil {
		return "", fmt.Errorf("no commit %s: %w", commit, err)
	}
	root, short, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	folder = filepath.Join(root, ".build", "commit-"+short)
	if _, err := os.Stat(folder); err == nil {
		return folder, nil
	}
	// Into another folder first: one that is there is whole.
	const script = `rm -rf "$1.part" && mkdir -p "$1.part" && git -C "$2" archive "$3" | tar -x -C "$1.part" && mv "$1.part" "$1"`
	if output, err := exec.CommandContext(ctx, "sh", "-c", script, "sh", folder, root, commit).CombinedOutput(); err != nil { //nolint:gosec // G204: as above
		return "", fmt.Errorf("check out %s: %w\n%s", commit, err, output)
	}
	return folder, nil
}
