// A minimal worker. Replace work; the rest is what Kubernetes needs: on SIGTERM, finish the job in hand and end.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"
)

var (
	version = cmp.Or(os.Getenv("VERSION"), "dev")
	pod     = os.Getenv("HOSTNAME")
	lines   = json.NewEncoder(os.Stdout)
)

// One job, such as a message from a queue. Finish it within `shutdownSeconds` (40), or hand it back.
func work() {
	line := map[string]string{"worker": "new-service", "version": version, "pod": pod, "did": "nothing"}
	if err := lines.Encode(line); err != nil {
		log.Fatal(err)
	}
}

func main() {
	ending, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	for ending.Err() == nil {
		work()
		select {
		case <-ending.Done():
		case <-time.After(10 * time.Second):
		}
	}
}
