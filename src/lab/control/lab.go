package control

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	labv1 "wagate.dev/gen/go/wagate/lab/v1"
)

// GetLab implements the contract.
func (c *Control) GetLab(context.Context, *labv1.GetLabRequest) (*labv1.GetLabResponse, error) {
	return &labv1.GetLabResponse{
		Address:    c.world.Server.Address(),
		RootKeyHex: c.world.Server.RootKeyHex(),
		CaPem:      string(c.world.Server.AuthorityPEM()),
		ProcessId:  int32(os.Getpid()),
	}, nil
}

// GetStats implements the contract.
func (c *Control) GetStats(context.Context, *labv1.GetStatsRequest) (*labv1.GetStatsResponse, error) {
	response := &labv1.GetStatsResponse{
		UnansweredIqs: map[string]int64{},
		Connections:   int32(c.world.Server.Connections()),
		Uptime:        durationpb.New(time.Since(c.started)),
	}
	for query, count := range c.world.Server.Unanswered() {
		response.UnansweredIqs[query] = int64(count)
	}
	for _, phone := range c.world.Server.Phones() {
		response.DroppedToPhones += int64(c.world.Server.Dropped(phone))
	}
	return response, nil
}

// SaveWorld implements the contract.
func (c *Control) SaveWorld(
	ctx context.Context, request *labv1.SaveWorldRequest,
) (*labv1.SaveWorldResponse, error) {
	if !filepath.IsAbs(request.GetFolder()) {
		return nil, malformed("folder", "an absolute path")
	}
	return &labv1.SaveWorldResponse{}, told(c.world.Save(ctx, request.GetFolder()))
}
