package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Post is the activity of the baseline workflows: it sends one POST to a receiver.
func Post(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(`{"bare":true}`))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("receiver answered %s", response.Status)
	}
	return nil
}
