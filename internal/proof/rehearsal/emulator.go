package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ringback/ringback/internal/proof/faultproxy"
	"github.com/ringback/ringback/internal/proof/lambdaruntime"
	"github.com/ringback/ringback/internal/proof/rehearsal/container"
	"github.com/ringback/ringback/internal/timing"
)

const (
	readyTime  = 60 * time.Second // until the emulator answers
	readyPause = 100 * time.Millisecond
	maxTail    = 2 << 10 // bytes of what a program printed that stand in an error
)

// check looks whether all programs are there, and the port is free.
func (o *options) check(ctx context.Context) error {
	for program, target := range map[string]string{o.sam: "make .tools/venv/installed", o.ringback: "make build"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("%w: %q makes it", err, target)
		}
	}
	printed, err := exec.CommandContext(ctx, o.fakecloud, "--version").Output() //nolint:gosec // G204: a flag names it
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no emulator at %s: \"make rehearse\" installs it", o.fakecloud)
	} else if err != nil {
		return fmt.Errorf("%s --version: %w", o.fakecloud, err)
	}
	if version := strings.TrimPrefix(strings.TrimSpace(string(printed)), "fakecloud "); o.version != "" && version != o.version {
		return fmt.Errorf("%s is version %q, and this rehearsal knows %s: delete it, and \"make rehearse\" installs that one", o.fakecloud, version, o.version)
	}
	host, _, err := net.SplitHostPort(o.address)
	if ip, parsed := netip.ParseAddr(host); err != nil || parsed != nil || !ip.IsLoopback() {
		return fmt.Errorf("--addr %s: it must be an address of this machine only, such as 127.0.0.1:4566", o.address)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.address)
	if err != nil {
		return fmt.Errorf("the emulator's address is taken: end what listens there, perhaps another emulator, or give another --addr (%w)", err)
	}
	return listener.Close()
}

// isolate makes the emulator the only AWS of this process, and of all that it starts.
func isolate(endpoint string) error {
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		// SAM runs make, which is not to take over what this program's own was called with.
		if slices.ContainsFunc([]string{"AWS_", "FAKECLOUD_", "SAM_", "MAKE", "MFLAGS"}, func(p string) bool { return strings.HasPrefix(name, p) }) {
			if err := os.Unsetenv(name); err != nil {
				return err
			}
		}
	}
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": endpoint,
		// The emulator's own administrator, whom it lets do everything.
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": region, "AWS_DEFAULT_REGION": region,
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true",
		"SAM_CLI_TELEMETRY": "0", "NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost", "CI": "true",
	} {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
}

// emulator is a running one, with the functions that it runs, and the proxy through which these call AWS.
type emulator struct {
	command *exec.Cmd
	engine  *container.Engine
	proxy   *faultproxy.Proxy
	ended   chan struct{} // closed when its process has ended
}

// overTLS says of each request that it came over TLS, as the functions' requests do on AWS: the queues' policies deny
// all others. The emulator itself has no TLS, and takes the word of a proxy before it.
type overTLS struct{ next http.RoundTripper }

func (o overTLS) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Forwarded-Proto", "https")
	return o.next.RoundTrip(r)
}

// startEmulator starts one, whose processes keep their files in a new folder, and returns when it answers.
func (o *options) startEmulator(ctx context.Context, folder string, flags ...string) (e *emulator, err error) {
	if err := os.Mkdir(folder, 0o700); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	e = &emulator{ended: make(chan struct{})}
	if e.proxy, err = faultproxy.Start("http://" + o.address); err != nil {
		return nil, err
	}
	e.proxy.Forget()
	e.proxy.Through(func(next http.RoundTripper) http.RoundTripper { return overTLS{next} })
	if e.engine, err = container.Start(ctx, folder); err != nil {
		e.proxy.Close()
		return nil, err
	}
	e.engine.Endpoint = e.proxy.URL()
	path := filepath.Join(folder, "fakecloud.log")
	log, err := os.Create(path) //nolint:gosec // G304: in our own folder
	if err != nil {
		e.engine.Close()
		e.proxy.Close()
		return nil, err
	}
	defer log.Close() //nolint:errcheck // the emulator has it
	//nolint:gosec // G204: a flag names it
	e.command = exec.Command(o.fakecloud, append([]string{"--addr", o.address, "--region", region, "--log-level", "warn"}, flags...)...)
	e.command.Stdout, e.command.Stderr = log, log
	e.command.Env = append(os.Environ(), "FAKECLOUD_CONTAINER_CLI="+self, container.SocketEnv+"="+e.engine.Socket, "TMPDIR="+folder)
	lambdaruntime.OwnGroup(e.command)
	if err := e.command.Start(); err != nil {
		e.engine.Close()
		e.proxy.Close()
		return nil, err
	}
	go func() {
		_ = e.command.Wait() // it ends only by close, or by a fault that its log has
		close(e.ended)
	}()
	if err := e.await(ctx, "http://"+o.address+"/_fakecloud/health"); err != nil {
		e.close()
		return nil, fmt.Errorf("%w\n%s", err, tail(path))
	}
	return e, nil
}

// await returns once the emulator answers.
func (e *emulator) await(ctx context.Context, health string) error {
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, health, nil)
		if err != nil {
			return err
		}
		if response, err := http.DefaultClient.Do(r); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-e.ended:
			return fmt.Errorf("the emulator ended: %v", e.command.ProcessState)
		default:
		}
		if !timing.Sleep(ctx, readyPause) {
			return fmt.Errorf("the emulator does not answer: %w", ctx.Err())
		}
	}
}

// close ends the emulator, and the functions.
func (e *emulator) close() {
	select {
	case <-e.ended:
	default:
		lambdaruntime.KillGroup(e.command)
		<-e.ended
	}
	e.engine.Close()
	e.proxy.Close()
}

// command runs a program to its end, and returns what it printed. All of that is added to a log in folder. If ctx ends, so
// does the program, and everything that it has started.
func command(ctx context.Context, folder string, env []string, program string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, program, args...) //nolint:gosec // G204: our own programs, and SAM
	lambdaruntime.OwnGroup(c)
	c.Cancel = func() error {
		lambdaruntime.KillGroup(c)
		return nil
	}
	c.Env = append(os.Environ(), env...)
	var printed bytes.Buffer
	c.Stdout, c.Stderr = &printed, &printed
	failed := c.Run()
	path := filepath.Join(folder, filepath.Base(program)+".log")
	log, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600) //nolint:gosec // G304: in our own folder
	if err == nil {
		_, err = fmt.Fprintf(log, "$ %s %s\n%s\n", program, strings.Join(args, " "), printed.Bytes())
		err = errors.Join(err, log.Close())
	}
	if failed != nil {
		text := printed.String()
		return text, fmt.Errorf("%s %s: %w\n%s", filepath.Base(program), args[0], failed, text[max(0, len(text)-maxTail):])
	}
	return printed.String(), err
}

func tail(path string) string {
	text, err := os.ReadFile(path) //nolint:gosec // G304: in our own folder
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-maxTail):])
}
