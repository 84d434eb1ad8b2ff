// A minimal service behind the proxy. Replace answer; the rest is what Kubernetes needs: health check and graceful shutdown.
package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

var (
	port    = cmp.Or(os.Getenv("PORT"), "8080")
	version = cmp.Or(os.Getenv("VERSION"), "dev")
	pod     = os.Getenv("HOSTNAME")
)

// Answer is the response body.
type Answer struct {
	Service string `json:"service"`
	Version string `json:"version"`
	Pod     string `json:"pod"`
	Method  string `json:"method"`
	Path    string `json:"path"`
}

// The path comes without the route's prefix.
func answer(method, path string) Answer {
	return Answer{"new-service", version, pod, method, path}
}

func handle(response http.ResponseWriter, request *http.Request) {
	began := time.Now()
	if _, err := io.Copy(io.Discard, request.Body); err != nil {
		return // The client hung up.
	}
	response.Header().Set("Cache-Control", "no-store")
	if request.RequestURI == "/healthz" { // Kubernetes' probes: answer 200 if this pod can take requests.
		response.Header().Set("Content-Type", "text/plain")
		io.WriteString(response, "ok\n")
		return
	}
	path, _, _ := strings.Cut(request.RequestURI, "?")
	response.Header().Set("Content-Type", "application/json; charset=utf-8")
	response.Write(encoded(answer(request.Method, path), "  "))
	milliseconds := float64(time.Since(began).Microseconds()/100) / 10
	// Without the query, which may contain secrets.
	line := map[string]any{"method": request.Method, "path": path, "status": 200, "milliseconds": milliseconds}
	os.Stdout.Write(encoded(line, ""))
}

// encoded returns a line of JSON with &, < and > as they are.
func encoded(value any, indent string) []byte {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	if err := encoder.Encode(value); err != nil {
		log.Print(err)
	}
	return text.Bytes()
}

func main() {
	ending, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	server := &http.Server{
		Addr:    ":" + port,
		Handler: http.HandlerFunc(handle),
		// Let the proxy close idle connections first: otherwise its next request can meet a closed one. nginx closes
		// them after 60 s (https://nginx.org/r/upstream/keepalive_timeout).
		IdleTimeout: 75 * time.Second,
	}
	ended := make(chan error)
	go func() {
		<-ending.Done()
		// Finish the requests in progress. No new ones arrive by the time of SIGTERM, because the pod's preStop hook has waited.
		ended <- server.Shutdown(context.Background())
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
	if err := <-ended; err != nil {
		log.Fatal(err)
	}
}
