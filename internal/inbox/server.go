package inbox

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"
)

// DefaultAddress is where the page is, or on the next port that is free.
const DefaultAddress = "127.0.0.1:8081"

const (
	headerTime   = 5 * time.Second
	requestTime  = 30 * time.Second
	shutdownTime = 2 * time.Second
	// attempts is how many ports are tried.
	attempts = 20
)

// ErrAddress means that an address is none of this machine's own.
var ErrAddress = errors.New("the page shows people's names and numbers: it listens on a loopback address only")

// Server serves an inbox.
type Server struct {
	// URL is where to open it. It holds the token: do not log it.
	URL string

	inbox  *Inbox
	server *http.Server
}

// Start serves an inbox until Close. Of [DefaultAddress], another port counts if it is
// taken. The error may wrap [ErrAddress].
func Start(ctx context.Context, address string, c Config, log *slog.Logger) (*Server, error) {
	listener, err := listen(ctx, address)
	if err != nil {
		return nil, err
	}
	token := rand.Text()
	in := New(c, token, log)
	in.checkRights(ctx)
	s := &Server{
		URL:   "http://" + listener.Addr().String() + "/?" + tokenParameter + "=" + token,
		inbox: in,
		server: &http.Server{
			Handler: in, ReadHeaderTimeout: headerTime, ReadTimeout: requestTime, WriteTimeout: requestTime,
			ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		},
	}
	s.server.RegisterOnShutdown(in.Close)
	go func() { _ = s.server.Serve(listener) }() // ends with Close
	return s, nil
}

// Close answers the requests under way, and ends.
func (s *Server) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	if s.server.Shutdown(ctx) != nil {
		_ = s.server.Close() // a browser keeps a connection that it does not use
	}
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("the page's address: %w", err)
	}
	if host == "" { // every address of the machine
		return nil, fmt.Errorf("%w, such as %s", ErrAddress, DefaultAddress)
	}
	addresses, err := net.DefaultResolver.LookupIP(ctx, "ip", host)
	if err != nil {
		return nil, fmt.Errorf("the page's address: %w", err)
	}
	for _, ip := range addresses {
		// guard 6: if _ = ip; false {
		if !ip.IsLoopback() {
			return nil, fmt.Errorf("%w, such as %s", ErrAddress, DefaultAddress)
		}
	}
	ports := []string{port}
	if address == DefaultAddress {
		first, _ := strconv.Atoi(port) // it is ours
		for i := range attempts {
			ports = append(ports, strconv.Itoa(first+1+i))
		}
		ports = append(ports, "0")
	}
	var listener net.Listener
	for _, port := range ports {
		var config net.ListenConfig
		listener, err = config.Listen(ctx, "tcp", net.JoinHostPort(host, port))
		if !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("serve the page: %w", err)
	}
	return listener, nil
}
