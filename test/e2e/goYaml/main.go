// Reads YAML as two Go programs do, for comparison: a JSON string per document on stdin, a JSON answer per line on stdout.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	pulumi "gopkg.in/yaml.v3"
	kubectl "sigs.k8s.io/yaml"
)

const project = "gke-microservices"

func main() {
	read := readStack
	if len(os.Args) > 1 && os.Args[1] == "kubectl" {
		read = func(text []byte) (any, error) {
			answer, err := kubectl.YAMLToJSON(text)
			return json.RawMessage(answer), err
		}
	}
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for in.More() {
		var text string
		if err := in.Decode(&text); err != nil {
			panic(err)
		}
		if value, err := read([]byte(text)); err != nil {
			_ = out.Encode(map[string]string{"error": err.Error()})
		} else {
			_ = out.Encode(map[string]any{"value": value})
		}
	}
}

// As the CLI loads a stack file: decoded, keys given the project's name, written, and decoded again.
// https://github.com/pulumi/pulumi/blob/v3.265.0/sdk/go/common/workspace/loaders.go
func readStack(text []byte) (any, error) {
	var raw any
	if err := pulumi.Unmarshal([]byte(strings.TrimPrefix(string(text), "\ufeff")), &raw); err != nil {
		return nil, err
	}
	if raw == nil {
		return map[string]string{}, nil
	}
	file, ok := raw.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("not a map with text as keys: %T", raw)
	}
	if config, ok := file["config"].(map[string]any); ok {
		named := map[string]any{}
		for key, value := range config {
			if !strings.Contains(key, ":") {
				key = project + ":" + key
			}
			named[key] = value
		}
		file["config"] = named
	}
	again, err := pulumi.Marshal(file)
	if err != nil {
		return nil, err
	}
	var stack struct {
		Config map[string]any `yaml:"config"`
	}
	if err := pulumi.Unmarshal(again, &stack); err != nil {
		return nil, err
	}
	texts := map[string]string{}
	for key, value := range stack.Config {
		plain := forJSON(value)
		if text, ok := plain.(string); ok {
			texts[key] = text
			continue
		}
		encoded, err := json.Marshal(plain)
		if err != nil {
			return nil, err
		}
		texts[key] = string(encoded)
	}
	return texts, nil
}

// https://github.com/pulumi/pulumi/blob/v3.265.0/sdk/go/common/resource/config/object.go
func forJSON(value any) any {
	switch value := value.(type) {
	case time.Time:
		return value.String()
	case map[string]any:
		for key, item := range value {
			value[key] = forJSON(item)
		}
	case map[any]any:
		named := map[string]any{}
		for key, item := range value {
			named[fmt.Sprintf("%v", key)] = forJSON(item)
		}
		return named
	case []any:
		for index, item := range value {
			value[index] = forJSON(item)
		}
	}
	return value
}
