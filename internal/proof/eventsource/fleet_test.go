package eventsource_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ringback/ringback/internal/proof/eventsource"
	"github.com/ringback/ringback/internal/proof/lambdaruntime"
	"github.com/ringback/ringback/internal/proof/lambdaruntime/lambdaruntimetest"
)

// asFunction turns the test binary into a function that answers with its event, or
// into one that exits during init.
const asFunction = "EVENTSOURCE_FUNCTION"

func TestMain(m *testing.M) {
	switch os.Getenv(asFunction) {
	case "echo":
		echo()
	case "broken":
		os.Exit(3)
	}
	os.Exit(m.Run())
}

func echo() {
	url := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/"
	for {
		next, err := http.Get(url + "next")
		if err != nil {
			os.Exit(1)
		}
		event, err := io.ReadAll(next.Body)
		if err != nil {
			os.Exit(1)
		}
		if string(event) == `"slow"` {
			time.Sleep(time.Minute)
		}
		answer, err := http.Post(url+next.Header.Get("Lambda-Runtime-Aws-Request-Id")+"/response", "application/json", bytes.NewReader(event))
		if err != nil {
			os.Exit(1)
		}
		_ = answer.Body.Close()
	}
}

// fleet returns a fleet of the test binary, and counts the processes it starts.
func fleet(t *testing.T, kind string) (f *eventsource.Fleet, started *atomic.Int32) {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	started = new(atomic.Int32)
	return eventsource.NewFleet(func() (*lambdaruntime.Process, error) {
		started.Add(1)
		return lambdaruntimetest.Start(t, path, map[string]string{asFunction: kind})
	}, time.Minute), started
}

func TestAnInvocationHasAProcessToItself(t *testing.T) {
	t.Parallel()
	f, started := fleet(t, "echo")
	var together, all sync.WaitGroup
	together.Add(3)
	f.Began = func(*lambdaruntime.Process) { // all three begin before one ends
		together.Done()
		together.Wait()
	}
	for range 3 {
		all.Go(func() {
			if answer, err := f.Invoke(t.Context(), []byte(`"here"`)); err != nil || string(answer) != `"here"` {
				t.Errorf("%s, %v", answer, err)
			}
		})
	}
	all.Wait()
	f.Began = nil
	for range 5 { // one after the other
		if _, err := f.Invoke(t.Context(), []byte(`1`)); err != nil {
			t.Error(err)
		}
	}
	if n := started.Load(); n != 3 || f.Size() != 3 {
		t.Errorf("%d processes were started, and there are %d, want 3", n, f.Size())
	}
}

func TestAKilledProcessFailsItsInvocationAndIsReplaced(t *testing.T) {
	t.Parallel()
	f, started := fleet(t, "echo")
	f.Began = func(p *lambdaruntime.Process) {
		if started.Load() == 1 {
			time.AfterFunc(50*time.Millisecond, func() { p.Kill() })
		}
	}
	if _, err := f.Invoke(t.Context(), []byte(`"slow"`)); !errors.Is(err, eventsource.ErrFunction) {
		t.Errorf("killed: %v, want ErrFunction", err)
	}
	if answer, err := f.Invoke(t.Context(), []byte(`2`)); err != nil || string(answer) != "2" || started.Load() != 2 {
		t.Errorf("%s, %v by process %d, want 2 by the second", answer, err, started.Load())
	}
}

func TestAProcessThatEndsInInitFailsTheInvocation(t *testing.T) {
	t.Parallel()
	f, _ := fleet(t, "broken")
	if _, err := f.Invoke(t.Context(), []byte(`1`)); !errors.Is(err, eventsource.ErrFunction) {
		t.Errorf("%v, want ErrFunction", err)
	}
	missing := errors.New("no such file")
	f = eventsource.NewFleet(func() (*lambdaruntime.Process, error) { return nil, missing }, time.Second)
	if _, err := f.Invoke(context.Background(), nil); !errors.Is(err, missing) || errors.Is(err, eventsource.ErrFunction) {
		t.Errorf("%v, want a fault of the test", err)
	}
}
