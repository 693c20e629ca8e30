package main

// Questions to the servers: are they ready, and is there all that a test relies on.

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

func (p *Plane) etcdReady() error {
	return answers(&http.Client{Timeout: time.Second}, fmt.Sprintf("http://127.0.0.1:%d/health", p.State.EtcdPort))
}

func (p *Plane) apiserverReady() error {
	client, err := p.client()
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	return answers(client, p.server()+"/readyz")
}

// usable waits for what the components make: the namespace `default` and its service account.
func (p *Plane) usable() error {
	client, err := p.client()
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	last, objects := "kube-apiserver", []string{"/api/v1/namespaces/default"}
	if p.State.Settings.Controllers {
		last = "kube-controller-manager"
		objects = append(objects, "/api/v1/namespaces/default/serviceaccounts/default")
	}
	for _, path := range objects {
		if err := p.wait(last, nil, func() error { return answers(client, p.server()+path) }); err != nil {
			return err
		}
	}
	return nil
}

const leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"

// makeNodes makes the nodes that kwok keeps alive. A kwok that ran before holds their leases,
// and its successor would wait until they run out: they are taken away.
func (p *Plane) makeNodes() error {
	client, err := p.client()
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	request, err := http.NewRequest(http.MethodDelete, p.server()+leases, nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	_ = answer.Body.Close()
	for index := range p.State.Settings.Nodes {
		if err := p.makeNode(client, index); err != nil {
			return err
		}
	}
	return nil
}

// nodesReady: kwok keeps them alive, and pods can be scheduled to them.
func (p *Plane) nodesReady() error {
	client, err := p.client()
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	for index := range p.State.Settings.Nodes {
		if err := answers(client, p.server()+leases+"/"+nodeName(index)); err != nil {
			return err
		}
		if err := p.nodeReady(client, index); err != nil {
			return err
		}
	}
	return nil
}

func nodeName(index int) string { return fmt.Sprintf("node-%d", index) }

func (p *Plane) makeNode(client *http.Client, index int) error {
	name := nodeName(index)
	plenty := map[string]string{"cpu": "100k", "memory": "1000Ti", "pods": "1M"}
	body, err := json.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Node",
		"metadata": map[string]any{
			"name": name,
			"labels": map[string]string{
				"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
			},
		},
		"status": map[string]any{"allocatable": plenty, "capacity": plenty},
	})
	if err != nil {
		return err
	}
	answer, err := client.Post(p.server()+"/api/v1/nodes", "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusCreated && answer.StatusCode != http.StatusConflict {
		text, _ := io.ReadAll(answer.Body)
		return fmt.Errorf("node %s: %s: %s", name, answer.Status, text)
	}
	return nil
}

// nodeReady: the condition is there, and the taints of a new node are gone.
func (p *Plane) nodeReady(client *http.Client, index int) error {
	answer, err := client.Get(p.server() + "/api/v1/nodes/" + nodeName(index))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	var node struct {
		Spec   struct{ Taints []any }
		Status struct {
			Conditions []struct{ Type, Status string }
		}
	}
	if err := json.NewDecoder(answer.Body).Decode(&node); err != nil {
		return err
	}
	if len(node.Spec.Taints) > 0 {
		return fmt.Errorf("node %s still has taints", nodeName(index))
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == "Ready" && condition.Status == "True" {
			return nil
		}
	}
	return fmt.Errorf("node %s is not ready", nodeName(index))
}

// client speaks as the administrator, and only to the server whose certificate we made.
func (p *Plane) client() (*http.Client, error) {
	authority, err := loadAuthority(p.pki())
	if err != nil {
		return nil, err
	}
	der, key, err := authority.sign(template("control-plane-launcher", []string{"system:masters"}))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(authority.certificate)
	return &http.Client{
		Timeout: 10 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{
			RootCAs:      roots,
			Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		}},
	}, nil
}

func answers(client *http.Client, url string) error {
	answer, err := client.Get(url)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(answer.Body, 300))
	if answer.StatusCode != http.StatusOK {
		return errors.New(url + ": " + answer.Status + ": " + string(text))
	}
	return nil
}
