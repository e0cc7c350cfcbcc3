package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
)

// guard is a piece of the code, or of the template, that keeps a promise.
type guard struct {
	// Promise is its number in the design, 1 to 9.
	Promise int
	// Name says what the guard does.
	Name string
	// File is the file it stands in, from the module's root; Text is there
	// exactly once, and Instead takes its place.
	File, Text, Instead string
	// Tests are the folders of the packages in each of which a test of the promise
	// is to fail; Only, if there is one, chooses among them by how they go on behind
	// TestPromise<n>_.
	Tests []string
	Only  string
}

// pattern chooses the guard's tests.
func (g guard) pattern() string {
	return fmt.Sprintf("^TestPromise%d_(%s)", g.Promise, g.Only)
}

// template is the file that tests read while they run.
const template = "template.yaml"

// reader is where tests learn the template's path, and path the text that says
// it.
const (
	reader = "internal/proof/tabletest/dynamodb.go"
	path   = `filepath.Join(dir, "template.yaml")`
)

// errText says that a guard's text is not where the table says it is.
var errText = errors.New("the guard's text is not there exactly once: mend the table of guards")

// overlay writes into folder what the go command reads in place of the files of
// the module at root, and returns its path. Both are absolute.
func (g guard) overlay(root, folder string) (string, error) {
	changed, err := replace(filepath.Join(root, g.File), g.Text, g.Instead)
	if err != nil {
		return "", err
	}
	copied := filepath.Join(folder, filepath.Base(g.File))
	files := map[string]string{copied: changed}
	over := map[string]string{filepath.Join(root, g.File): copied}
	if g.File == template {
		told, err := replace(filepath.Join(root, reader), path, strconv.Quote(copied))
		if err != nil {
			return "", err
		}
		teller := filepath.Join(folder, filepath.Base(reader))
		files[teller] = told
		over = map[string]string{filepath.Join(root, reader): teller}
	}
	list, err := json.Marshal(map[string]any{"Replace": over})
	if err != nil {
		return "", err
	}
	name := filepath.Join(folder, "overlay.json")
	files[name] = string(list)
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return "", err
	}
	for file, text := range files {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	return name, nil
}

// replace returns the text of a file with one part of it replaced.
func replace(file, text, instead string) (string, error) {
	content, err := os.ReadFile(file) //nolint:gosec // G304: a file of the module
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(content), text); n != 1 {
		return "", fmt.Errorf("%s, %d times: %q: %w", file, n, text, errText)
	}
	return strings.Replace(string(content), text, instead, 1), nil
}
