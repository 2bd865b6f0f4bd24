// Manifests checks Kubernetes manifests: every document is decoded strictly into the type of the real API, so that an unknown,
// misspelt or repeated key is an error, and what one part says of another is compared. It prints one JSON object per document.
//
//	go run . FILE...
package main

import (
	"bytes"
	encoding "encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// document is what is printed.
type document struct {
	File string            `json:"file"`
	Kind string            `json:"kind"`
	Name string            `json:"name"`
	Data map[string]string `json:"data,omitempty"`
	Pod  *core.PodSpec     `json:"pod,omitempty"`
}

func main() {
	failed := false
	for _, file := range os.Args[1:] {
		text, err := os.ReadFile(file)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		for index, part := range bytes.Split(text, []byte("\n---\n")) {
			if err := check(file, part); err != nil {
				fmt.Fprintf(os.Stderr, "%s: document %d: %v\n", file, index+1, err)
				failed = true
			}
		}
	}
	if failed {
		os.Exit(1)
	}
}

func check(file string, text []byte) error {
	var kind meta.TypeMeta
	if err := yaml.Unmarshal(text, &kind); err != nil {
		return err
	}
	object, pod := typeOf(kind)
	if object == nil {
		return fmt.Errorf("%s %s is not known to this check", kind.APIVersion, kind.Kind)
	}
	// As the API server reads it: keys differ by case, none comes twice.
	asJSON, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return err
	}
	if strict, err := json.UnmarshalStrict(asJSON, object); err != nil || len(strict) > 0 {
		return errors.Join(append(strict, err)...)
	}
	found := document{File: file, Kind: kind.Kind, Name: object.GetName()}
	if problems := validation.IsDNS1123Subdomain(found.Name); len(problems) > 0 {
		return fmt.Errorf("name %q: %s", found.Name, strings.Join(problems, ", "))
	}
	if config, ok := object.(*core.ConfigMap); ok {
		found.Data = config.Data
	}
	if pod != nil {
		selector, template := pod()
		if err := checkPod(selector, template); err != nil {
			return err
		}
		found.Pod = &template.Spec
	}
	return encoding.NewEncoder(os.Stdout).Encode(found)
}

// typeOf is a new object of the kind and, for one that makes pods, a way to its selector and template once it is decoded.
func typeOf(kind meta.TypeMeta) (meta.Object, func() (*meta.LabelSelector, *core.PodTemplateSpec)) {
	switch kind.APIVersion + " " + kind.Kind {
	case "v1 Namespace":
		return &core.Namespace{}, nil
	case "v1 ServiceAccount":
		return &core.ServiceAccount{}, nil
	case "v1 ConfigMap":
		return &core.ConfigMap{}, nil
	case "apps/v1 Deployment":
		object := &apps.Deployment{}
		return object, func() (*meta.LabelSelector, *core.PodTemplateSpec) {
			return object.Spec.Selector, &object.Spec.Template
		}
	case "apps/v1 DaemonSet":
		object := &apps.DaemonSet{}
		return object, func() (*meta.LabelSelector, *core.PodTemplateSpec) {
			return object.Spec.Selector, &object.Spec.Template
		}
	}
	return nil, nil
}

// checkPod compares what the types leave open: labels and selector, names of ports, volumes and probes.
func checkPod(labels *meta.LabelSelector, template *core.PodTemplateSpec) error {
	var problems []error
	say := func(format string, arguments ...any) { problems = append(problems, fmt.Errorf(format, arguments...)) }
	if labels == nil || len(labels.MatchLabels) == 0 {
		say("it selects nothing")
	} else {
		for key, value := range labels.MatchLabels {
			if template.Labels[key] != value {
				say("its selector %s=%s is no label of its pods", key, value)
			}
		}
	}
	volumes := map[string]bool{}
	for _, volume := range template.Spec.Volumes {
		volumes[volume.Name] = true
	}
	for _, container := range template.Spec.Containers {
		ports := map[string]bool{}
		for _, port := range container.Ports {
			for _, problem := range validation.IsValidPortName(port.Name) {
				say("%s: port %q %s", container.Name, port.Name, problem)
			}
			ports[port.Name] = true
		}
		for _, mount := range container.VolumeMounts {
			if !volumes[mount.Name] {
				say("%s: mounts volume %q, which is not there", container.Name, mount.Name)
			}
		}
		for _, probe := range []*core.Probe{container.StartupProbe, container.LivenessProbe, container.ReadinessProbe} {
			if probe != nil && (probe.HTTPGet == nil || !ports[probe.HTTPGet.Port.StrVal]) {
				say("%s: a probe asks no port of it", container.Name)
			}
		}
	}
	return errors.Join(problems...)
}
