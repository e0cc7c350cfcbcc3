// Package docs_test checks the commands in README.md and docs/: each block can be pasted as a whole into bash
// and into zsh.
package docs_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mvdan.cc/sh/v3/syntax"

	"github.com/ringback/ringback/internal/proof/tabletest"
)

// block is a fenced block of a page.
type block struct {
	page string
	line int
	// language stands behind the fence. Blocks of commands have none.
	language, text string
}

var fence = regexp.MustCompile("^( *)```([a-z]*)$")

var errFence = errors.New("a fence is open")

func blocks(page, text string) (found []block, err error) {
	var open *block
	indent := ""
	for i, line := range strings.Split(text, "\n") {
		match := fence.FindStringSubmatch(line)
		switch {
		case match != nil && open == nil:
			indent = match[1]
			open = &block{page: page, line: i + 1, language: match[2]}
		case match != nil:
			found = append(found, *open)
			open = nil
		case open != nil:
			open.text += strings.TrimPrefix(line, indent) + "\n"
		}
	}
	if open != nil {
		return nil, fmt.Errorf("%s:%d: %w", page, open.line, errFence)
	}
	return found, nil
}

// commands returns the blocks of commands of README.md and docs/.
func commands(t *testing.T) []block {
	t.Helper()
	root := filepath.Dir(tabletest.TemplatePath(t))
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	var found []block
	for _, page := range append(pages, filepath.Join(root, "README.md")) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		all, err := blocks(filepath.Base(page), string(text))
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range all {
			switch b.language {
			case "":
				found = append(found, b)
			case "go", "json", "text", "toml", "yaml":
			default:
				t.Errorf("%s:%d: a block of %q: commands have no language, and others one that is known here", b.page, b.line, b.language)
			}
		}
	}
	if len(found) < 40 {
		t.Fatalf("found only %d blocks of commands", len(found))
	}
	return found
}

func TestEveryBlockOfCommandsCanBePasted(t *testing.T) {
	t.Parallel()
	for _, b := range commands(t) {
		for _, problem := range problems(b.text) {
			t.Errorf("%s:%d: %s\n%s", b.page, b.line, problem, b.text)
		}
	}
}

// The shells themselves have the last word on what they can parse. zsh is not everywhere: where it is missing,
// its grammar is that of the parser that problems uses.
func TestBothShellsParseEveryBlock(t *testing.T) {
	t.Parallel()
	for _, shell := range []string{"bash", "zsh"} {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			path, err := exec.LookPath(shell)
			if err != nil {
				t.Skipf("%s is not installed: its blocks were only parsed by mvdan.cc/sh", shell)
			}
			for _, b := range commands(t) {
				c := exec.CommandContext(t.Context(), path, "-n")
				c.Stdin = strings.NewReader(b.text)
				if output, err := c.CombinedOutput(); err != nil || len(output) > 0 {
					t.Errorf("%s:%d: %v\n%s%s", b.page, b.line, err, output, b.text)
				}
			}
		})
	}
}

// zshSpecial are variables that mean something to zsh, and not to bash: "status" cannot be set, and "path" is
// the search path.
var zshSpecial = []string{
	"ARGC", "EGID", "EUID", "GID", "HISTCHARS", "HOST", "KEYTIMEOUT", "MAILCHECK", "MATCH", "NULLCMD", "PROMPT", "READNULLCMD", "TTY",
	"UID", "USERNAME", "VENDOR", "WORDCHARS", "aliases", "argv", "cdpath", "commands", "fignore", "fpath", "functions", "history",
	"mailpath", "manpath", "match", "module_path", "options", "path", "pipestatus", "prompt", "psvar", "signals", "status", "widgets", "words",
}

var (
	history     = regexp.MustCompile(`![^ \t\n=(]`)
	placeholder = regexp.MustCompile(`^[A-Z]{3,}$`)
	modifier    = regexp.MustCompile(`^(:[a-zA-Z&]|\[)`)
)

// problems says why a text cannot be pasted into both shells.
func problems(text string) (found []string) {
	report := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	if strings.Contains(text, "\t") {
		report("a tab completes names")
	}
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasSuffix(strings.TrimRight(line, " "), `\`) && strings.HasSuffix(line, " ") {
			report("a blank after the backslash at the end of a line")
		}
	}
	if _, err := syntax.NewParser(syntax.Variant(syntax.LangZsh)).Parse(strings.NewReader(text), ""); err != nil {
		report("zsh: %v", err)
	}
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash), syntax.KeepComments(true)).Parse(strings.NewReader(text), "")
	if err != nil {
		report("bash: %v", err)
		return found
	}
	for i, s := range file.Stmts {
		if call, ok := s.Cmd.(*syntax.CallExpr); ok && name(call) == "read" && len(s.Redirs) == 0 && i+1 < len(file.Stmts) {
			report("\"read\" takes the next line of the block")
		}
	}
	syntax.Walk(file, func(node syntax.Node) bool {
		switch n := node.(type) {
		case *syntax.Comment:
			report("a comment: an interactive zsh has none")
		case *syntax.Assign:
			if n.Name != nil && slices.Contains(zshSpecial, n.Name.Value) {
				report("zsh has its own %s", n.Name.Value)
			}
			if n.Array != nil {
				report("arrays begin with 1 in zsh")
			}
		case *syntax.ParamExp:
			if n.Index != nil {
				report("arrays begin with 1 in zsh")
			}
		case *syntax.DblQuoted:
			found = append(found, checkParts(n.Parts)...)
			for _, part := range n.Parts {
				if lit, ok := part.(*syntax.Lit); ok && history.MatchString(lit.Value) {
					report("%q: the exclamation mark stands for an older command", lit.Value)
				}
			}
		case *syntax.CallExpr:
			found = append(found, checkCall(n)...)
		case *syntax.Word:
			found = append(found, checkParts(n.Parts)...)
		}
		return true
	})
	return found
}

func name(call *syntax.CallExpr) string {
	if len(call.Args) == 0 {
		return ""
	}
	return call.Args[0].Lit()
}

// checkCall says what in a command's words the shells read differently.
func checkCall(call *syntax.CallExpr) (found []string) {
	if strings.HasSuffix(name(call), ":") && name(call) != ":" {
		found = append(found, name(call)+" is no command: name the block's language")
	}
	switch name(call) {
	case "exit", "exec", "logout":
		found = append(found, name(call)+" ends the shell into which it is pasted")
	case "set", "setopt", "shopt", "unsetopt":
		found = append(found, name(call)+" changes the shell into which it is pasted")
	}
	for i, word := range call.Args {
		literal := word.Lit()
		switch {
		case name(call) == "read" && strings.HasPrefix(literal, "-") && strings.Contains(literal, "p"):
			found = append(found, "read -p reads from a coprocess in zsh")
		case i > 0 && placeholder.MatchString(literal) && !slices.Contains([]string{"export", "read", "unset"}, name(call)):
			found = append(found, literal+" stands for something: set a variable at the top")
		}
		for j, part := range word.Parts {
			switch p := part.(type) {
			case *syntax.Lit:
				if strings.ContainsAny(unescaped(p.Value), "*?[") && literal != "[" && literal != "[[" {
					found = append(found, fmt.Sprintf("%q: zsh fails if no file has such a name: quote it", p.Value))
				}
				if j == 0 && strings.HasPrefix(p.Value, "=") {
					found = append(found, fmt.Sprintf("%q: zsh looks for a command of that name: quote it", p.Value))
				}
				if history.MatchString(unescaped(p.Value)) {
					found = append(found, fmt.Sprintf("%q: the exclamation mark stands for an older command", p.Value))
				}
			case *syntax.ParamExp, *syntax.CmdSubst:
				found = append(found, "bash splits what is not quoted, and zsh does not: quote "+source(part))
			}
		}
		if name(call) == "echo" && strings.Contains(source(word), `\`) {
			found = append(found, "zsh's echo reads backslashes: use printf")
		}
	}
	return found
}

// checkParts says where zsh takes text after a variable for a part of it.
func checkParts(parts []syntax.WordPart) (found []string) {
	for i, part := range parts {
		if i == 0 {
			continue
		}
		variable, ok := parts[i-1].(*syntax.ParamExp)
		lit, isLit := part.(*syntax.Lit)
		if ok && variable.Short && isLit && modifier.MatchString(lit.Value) {
			found = append(found, fmt.Sprintf("zsh changes $%s by %q: write ${%[1]s}", variable.Param.Value, lit.Value))
		}
	}
	return found
}

var escape = regexp.MustCompile(`\\.`)

// unescaped returns a literal without what a backslash protects.
func unescaped(literal string) string { return escape.ReplaceAllString(literal, "") }

func source(node syntax.Node) string {
	var text strings.Builder
	if err := syntax.NewPrinter().Print(&text, node); err != nil {
		return err.Error()
	}
	return text.String()
}

// What must be found, and what must not.
func TestWhatCannotBePastedIsFound(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ text, want string }{
		{"make run     # build and start", "comment"},
		{"# build\nmake build", "comment"},
		{"aws lambda invoke --function-name \"$FUNCTION:live\" out", "${FUNCTION}"},
		{"aws lambda invoke --function-name $FUNCTION:live out", "${FUNCTION}"},
		{`echo "$LIST[1]"`, "${LIST}"},
		{"curl https://example.com/?x=1", "no file"},
		{"ls *.json", "no file"},
		{"jq .Items[0] file", "no file"},
		{"[ \"$A\" == \"$B\" ]", "looks for a command"},
		{`echo "done!now"`, "older command"},
		{"echo done!now", "older command"},
		{"ls $FOLDER", "splits"},
		{"ls $(pwd)", "splits"},
		{"ringback send <file>", "bash:"},
		{"ringback send FILE", "variable at the top"},
		{"status=1", "its own status"},
		{"path=/tmp", "its own path"},
		{"a=(b c)\n", "begin with 1"},
		{`echo "${a[0]}"`, "begin with 1"},
		{"read -rs SECRET\nmake deploy", "next line"},
		{"read -p 'Name: ' NAME", "coprocess"},
		{"exit 1", "ends the shell"},
		{"set -e", "changes the shell"},
		{"echo 'a\\nb'", "printf"},
		{"aws s3 ls \\ \n  s3://bucket", "backslash"},
		{"make\tbuild", "tab"},
		{"if true; then", "bash:"},
		{"Voicemail: +14155558765 on Support", "is no command"},
		{"parameter_overrides = \"A=b\"", "looks for a command"},
	} {
		if got := strings.Join(problems(tc.text), "\n"); !strings.Contains(got, tc.want) {
			t.Errorf("%q: found %q, want %q", tc.text, got, tc.want)
		}
	}
	for _, text := range []string{
		"make run\nmake test\n",
		"aws lambda invoke --function-name \"${FUNCTION}:live\" out.json",
		"jq -r '.Items[] | .SK.S + \"!x\"' rejected.json > out.json",
		"ACCESS='{\"Resource\": \"'$QUEUE'\"}'",
		"curl 'https://example.com/?x=1'\n",
		"sleep 60; read -rs SIGNING",
		"while read -r KEY; do\n  echo \"$KEY\"\ndone < keys",
		"! grep -q x file",
		"[ -n \"$A\" ] && echo yes",
		"echo $((1 + 2))",
		"aws x --attributes \"Policy='$ACCESS'\"",
	} {
		if got := problems(text); got != nil {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestBlocksAreFoundInListsAndByLanguage(t *testing.T) {
	t.Parallel()
	got, err := blocks("page.md", "a\n```\nmake\n```\n1. b\n\n   ```toml\n   x = 1\n     y\n   ```\n")
	want := []block{{"page.md", 2, "", "make\n"}, {"page.md", 7, "toml", "x = 1\n  y\n"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := blocks("page.md", "```\nmake\n"); !errors.Is(err, errFence) {
		t.Errorf("an open fence: %v", err)
	}
}
