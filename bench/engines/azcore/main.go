// Command azcore runs the benchmark's operations with the poller of the Azure SDK.
package main

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	armpolicy "github.com/Azure/azure-sdk-for-go/sdk/azcore/arm/policy"
	armruntime "github.com/Azure/azure-sdk-for-go/sdk/azcore/arm/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"azbackupflow/bench/internal/fakearm"
	"azbackupflow/bench/internal/harness"
	"azbackupflow/bench/internal/work"
)

func main() { harness.Main(map[string]harness.Open{"azcore": openAzcore}) }

// minFrequency is the minimum that PollUntilDone accepts.
const minFrequency = time.Second

// poller waits for each operation in a goroutine, as programs that use the Azure
// SDK do.
type poller struct {
	harness.Env
	pipeline runtime.Pipeline
	endpoint string
	waiting  sync.WaitGroup

	mu     sync.Mutex
	failed error
}

func openAzcore(_ context.Context, w harness.Env) (harness.Runner, error) {
	options := &armpolicy.ClientOptions{DisableRPRegistration: true}
	options.Cloud = cloud.Configuration{Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
		cloud.ResourceManager: {Endpoint: w.Job.Endpoint, Audience: "https://management.azure.com"},
	}}
	options.InsecureAllowCredentialWithHTTP = true
	pipeline, err := armruntime.NewPipeline("bench", "v1", harness.Token{Now: w.Now}, runtime.PipelineOptions{}, options)
	if err != nil {
		return nil, err
	}
	return &poller{Env: w, pipeline: pipeline, endpoint: w.Job.Endpoint}, nil
}

func (p *poller) Start(ctx context.Context, id string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting.Go(func() {
		if err := p.run(ctx, id); err != nil {
			p.mu.Lock()
			p.failed = errors.Join(p.failed, err)
			p.mu.Unlock()
			return
		}
		p.Ended(id)
	})
	return p.failed
}

// run starts an operation and polls it until its end.
func (p *poller) run(ctx context.Context, id string) error {
	// The context of the starts ends with the last start.
	ctx = context.WithoutCancel(ctx)
	req, err := runtime.NewRequest(ctx, http.MethodPut, p.endpoint+fakearm.Path(id)+"?api-version=2025-02-01")
	if err != nil {
		return err
	}
	if err := runtime.MarshalAsJSON(req, map[string]string{"location": "westeurope"}); err != nil {
		return err
	}
	resp, err := p.pipeline.Do(req) //nolint:bodyclose // The poller reads and closes it.
	if err != nil {
		return err
	}
	poll, err := runtime.NewPoller[map[string]any](resp, p.pipeline, nil)
	if err != nil {
		return err
	}
	_, err = poll.PollUntilDone(ctx, &runtime.PollUntilDoneOptions{Frequency: minFrequency})
	return err
}

func (p *poller) Cost() *work.Cost { return nil }

func (p *poller) Close(context.Context) error {
	p.waiting.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failed
}
