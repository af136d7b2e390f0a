package connect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"google.golang.org/grpc/codes"
)

// Dial connects to Temporal. It tries for some seconds, as long as the context allows, because a server may be starting.
// The namespace need not exist yet. Codecs, interceptors and metrics are plugins. Dial reports an error, with a remedy, if
// Temporal cannot be reached or rejects the credentials.
func Dial(ctx context.Context, settings Settings, logger *slog.Logger, plugins ...client.Plugin) (client.Client, error) {
	settings = settings.WithDefaults()
	options, err := settings.options(logger, plugins)
	if err != nil {
		return nil, fmt.Errorf("connect to Temporal at %s: %w", settings.Address, err)
	}
	temporal, err := client.DialContext(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("connect to Temporal at %s: %w (%s)", settings.Address, err, settings.remedy(err))
	}
	return temporal, nil
}

func (s Settings) options(logger *slog.Logger, plugins []client.Plugin) (client.Options, error) {
	options := client.Options{HostPort: s.Address, Namespace: s.Namespace, Plugins: plugins}
	if logger != nil {
		options.Logger = log.NewStructuredLogger(logger)
	}
	if isLoopback(s.Address) {
		// The SDK compresses by default; within one machine, that only costs both sides time.
		options.ConnectionOptions.GrpcCompression = &client.GrpcCompressionNone{}
	}
	if s.wantsTLS() {
		secured, err := s.TLS.config()
		if err != nil {
			return client.Options{}, err
		}
		options.ConnectionOptions.TLS = secured
	} else {
		options.ConnectionOptions.TLSDisabled = true
	}
	if s.APIKey != "" {
		if _, err := resolve(s.APIKey); err != nil {
			return client.Options{}, fmt.Errorf("API key: %w", err)
		}
		options.Credentials = client.NewAPIKeyDynamicCredentials(func(context.Context) (string, error) { return resolve(s.APIKey) })
	}
	return options, nil
}

// remedy returns what the reader of the error can do.
func (s Settings) remedy(err error) string {
	if isDenied(err) {
		return "check that the API key or the client certificate is valid for this address"
	}
	if isLoopback(s.Address) {
		return "check that it is running; `segue dev` starts one on this machine; set another with --address or SEGUE_TEMPORAL_ADDRESS"
	}
	secured := "serves without TLS"
	if s.wantsTLS() {
		secured = "serves TLS"
	}
	return "check that it is running, reachable from here and " + secured + "; set another with --address or SEGUE_TEMPORAL_ADDRESS"
}

// isDenied reports whether Temporal was reached and rejected the credentials.
func isDenied(err error) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		switch serviceerror.ToStatus(err).Code() {
		case codes.PermissionDenied, codes.Unauthenticated:
			return true
		}
	}
	return false
}
