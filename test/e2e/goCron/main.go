// Reads schedules as Kubernetes does: a JSON string for each on stdin, a JSON answer per line on stdout, with the next five
// times from a given one in a given zone. With `zones`, the strings are names of zones. https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/cronjob/utils.go
package main

import (
	"encoding/json"
	"os"
	"time"
	_ "time/tzdata"

	"github.com/robfig/cron/v3"
)

func main() {
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	answer := timesOf
	if os.Args[1] == "zones" {
		answer = zone
	}
	for in.More() {
		var text string
		if err := in.Decode(&text); err != nil {
			panic(err)
		}
		if value, err := answer(text); err != nil {
			_ = out.Encode(map[string]string{"error": err.Error()})
		} else {
			_ = out.Encode(map[string]any{"value": value})
		}
	}
}

func zone(name string) (any, error) {
	location, err := time.LoadLocation(name)
	if err != nil {
		return nil, err
	}
	return location.String(), nil
}

func timesOf(text string) (any, error) {
	schedule, err := cron.ParseStandard(text)
	if err != nil {
		return nil, err
	}
	location, err := time.LoadLocation(os.Args[1])
	if err != nil {
		return nil, err
	}
	begin, err := time.Parse(time.RFC3339, os.Args[2])
	if err != nil {
		return nil, err
	}
	times := []string{}
	for next := schedule.Next(begin.In(location)); len(times) < 5 && !next.IsZero(); next = schedule.Next(next) {
		times = append(times, next.Format(time.RFC3339))
	}
	return times, nil
}
