package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/protosvc/protosvc/test/manifests/objects"
)

// The setting that is edited, its value in the contract and those of the edits.
const (
	setting      = "default_page_size: "
	settingNow   = setting + "20"
	settingGood  = setting + "21"
	settingBad   = setting + "-1"
	reloadAnswer = "default_page_size"
)

// editConfig edits a setting and reloads each pod when the kubelet has delivered the
// file; then edits it to a value that the contract refuses; and back. No pod restarts.
func editConfig(ctx context.Context, f *flagship) error {
	const service = "order"
	before, err := f.restarts(ctx)
	if err != nil {
		return err
	}
	pods, err := f.pods(ctx, service)
	if err != nil {
		return err
	}
	var addresses []string
	for _, p := range pods {
		addresses = append(addresses, p.Status.PodIP)
	}
	for _, address := range addresses {
		if err := stranger(ctx, address); err != nil {
			return err
		}
	}
	for _, edit := range []struct {
		value, inForce string
		status         int
	}{
		{settingGood, settingGood, http.StatusOK},
		{settingBad, settingGood, http.StatusUnprocessableEntity},
		{settingNow, settingNow, http.StatusOK},
	} {
		if err := f.editConfigMap(ctx, service, edit.value); err != nil {
			return err
		}
		for _, address := range addresses {
			if err := f.reload(ctx, address, edit.status, edit.inForce); err != nil {
				return fmt.Errorf("%s: %w", edit.value, err)
			}
		}
	}
	after, err := f.restarts(ctx)
	if err != nil {
		return err
	}
	// A pod that starts while the file is bad does not become one: it says why and ends.
	return after.since(before, false)
}

func (f *flagship) editConfigMap(ctx context.Context, service, value string) error {
	for _, o := range f.objects {
		if o.Kind() != "ConfigMap" || o.Name() != service {
			continue
		}
		data, _ := o["data"].(map[string]any)
		text, _ := data["config.yaml"].(string)
		if strings.Count(text, settingNow+"\n") != 1 {
			return fmt.Errorf("ConfigMap %s does not say %q once", service, settingNow)
		}
		changed, err := o.With("data", map[string]any{"config.yaml": strings.Replace(text, settingNow+"\n", value+"\n", 1)})
		if err != nil {
			return err
		}
		_, err = f.server.applied(ctx, namespace, &objects.Rendering{Objects: []objects.Object{changed}})
		return err
	}
	return fmt.Errorf("there is no ConfigMap %s", service)
}

// reload tries until the answer is that of the new file, which the kubelet brings within
// a minute or so, and looks at what is in force then.
func (f *flagship) reload(ctx context.Context, address string, status int, inForce string) error {
	return f.server.apiserver.within(ctx, 2*time.Minute, func(ctx context.Context) error {
		got, answer, err := admin(ctx, http.MethodPost, address, "/config/reload")
		if err != nil {
			return err
		}
		if got != status {
			return fmt.Errorf("the reload answers %d: %s", got, answer)
		}
		if status != http.StatusOK && !strings.Contains(answer, reloadAnswer) {
			return fmt.Errorf("the reload does not say what is wrong: %s", answer)
		}
		got, answer, err = admin(ctx, http.MethodGet, address, "/config")
		if err != nil {
			return err
		}
		if got != http.StatusOK || !strings.Contains(answer, inForce+"\n") {
			return fmt.Errorf("the reload answers %d and %q is not in force", status, inForce)
		}
		return nil
	})
}

// stranger asks a pod to reload without the token, which it must refuse.
func stranger(ctx context.Context, address string) error {
	status, answer, err := ask(ctx, http.DefaultClient, http.MethodPost, "http://"+address+adminPort+"/config/reload")
	if err == nil && status != http.StatusUnauthorized {
		err = fmt.Errorf("a reload without the token is answered with %d: %s", status, answer)
	}
	return err
}

const adminPort = ":9091"

// admin asks the admin port of a pod, with the token.
func admin(ctx context.Context, method, address, path string) (status int, answer string, err error) {
	return ask(ctx, http.DefaultClient, method, "http://"+address+adminPort+path, "Authorization", "Bearer "+adminToken)
}

// ask makes a request without a body, perhaps with a header.
func ask(ctx context.Context, c *http.Client, method, url string, header ...string) (status int, answer string, err error) {
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return 0, "", err
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := c.Do(req)
	if err != nil {
		return 0, "", err
	}
	text, err := io.ReadAll(res.Body)
	return res.StatusCode, string(text), errors.Join(err, res.Body.Close())
}
